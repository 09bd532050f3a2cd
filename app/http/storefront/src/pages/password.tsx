// A new password, or the first one of who has none.
import type { ReactNode } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { NewPasswordField } from '../components/password-field.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useMoment, useTexts } from '../texts/texts.tsx';

const PasswordSince = graphql(`
  query PasswordSince {
    me { id signInMethods { passwordSince } }
  }
`);
const ChangePassword = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) {
      customer { id }
      tokens { accessToken expiresIn refreshToken sessionId initialPassword }
      userErrors { code field message }
    }
  }
`);

export default function PasswordPage(): ReactNode {
  const t = useTexts();
  const moment = useMoment();
  const send = useSend();
  return (
    <AccountPage name="password">
      <Data of={PasswordSince}>
        {({ me }) => {
          const since = me?.signInMethods.passwordSince;
          return (
            <section className="card">
              <Notice>{since ? t.password.since(moment(since)) : t.password.none}</Notice>
              <Form
                submit={t.password.submit}
                done={t.password.done}
                clears
                run={async ({ currentPassword, newPassword = '' }) => {
                  const input = { newPassword, ...(currentPassword !== undefined && { currentPassword }) };
                  return (await send(ChangePassword, { input })).changePassword.userErrors;
                }}
              >
                {since && (
                  <Field
                    label={t.fields.currentPassword}
                    name="currentPassword"
                    type="password"
                    autoComplete="current-password"
                    required
                  />
                )}
                <NewPasswordField name="newPassword" />
              </Form>
            </section>
          );
        }}
      </Data>
    </AccountPage>
  );
}
