// Another e-mail address: it changes when the link that is mailed to it is opened.
import { type ReactNode, useState } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { MailboxHint } from '../components/mailbox-hint.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';

const Email = graphql(`
  query Email {
    me { id email emailVerified signInMethods { passwordSince } }
  }
`);
const ChangeEmail = graphql(`
  mutation ChangeEmail($input: ChangeEmailInput!) {
    changeEmail(input: $input) { accepted userErrors { code field message } }
  }
`);

export default function EmailPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const [asked, setAsked] = useState('');
  return (
    <AccountPage name="email">
      <Data of={Email}>
        {({ me }) => (
          <>
            {asked && <MailboxHint>{t.email.mailed(asked)}</MailboxHint>}
            <section className="card">
              <p>
                <strong>{me?.email}</strong>{' '}
                {me?.emailVerified && <span className="badge good">{t.email.verified}</span>}
              </p>
              <Form
                submit={t.email.submit}
                clears
                run={async ({ newEmail = '', password, sync }) => {
                  const input = { newEmail, syncContactEmail: sync === 'on', ...(password && { password }) };
                  const { accepted, userErrors } = (await send(ChangeEmail, { input })).changeEmail;
                  if (accepted) setAsked(newEmail);
                  return userErrors;
                }}
              >
                <Field label={t.fields.newEmail} name="newEmail" type="email" autoComplete="email" required />
                {me?.signInMethods.passwordSince && (
                  <Field
                    label={t.fields.password}
                    name="password"
                    type="password"
                    autoComplete="current-password"
                    required
                  />
                )}
                <Field label={t.email.sync} name="sync" type="checkbox" defaultChecked />
              </Form>
            </section>
          </>
        )}
      </Data>
    </AccountPage>
  );
}
