// The page of a mailed link to a new password, and of an invitation.
import { type ReactNode, useState } from 'react';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { Page } from '../components/page.tsx';
import { NewPasswordField } from '../components/password-field.tsx';
import { useSend } from '../gateway.tsx';
import { type ResultOf, graphql } from '../graphql.ts';
import { Link, usePlace } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';

const ResetPassword = graphql(`
  mutation ResetPassword($input: ResetPasswordInput!) {
    resetPassword(input: $input) {
      passwordReset
      otherSignInMethods { id provider }
      userErrors { code field message }
    }
  }
`);
type Done = ResultOf<typeof ResetPassword>['resetPassword'];

export default function ResetPasswordPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const token = usePlace().query.get('token') ?? '';
  const [done, setDone] = useState<Done | null>(null);
  if (done) {
    return (
      <Page title={t.reset.doneTitle} narrow>
        <Notice kind="good">{t.reset.done}</Notice>
        {done.otherSignInMethods.length > 0 && (
          <Notice>{t.reset.others(done.otherSignInMethods.map(({ provider }) => provider).join(', '))}</Notice>
        )}
        <Link to="login" className="button">{t.header.logIn}</Link>
      </Page>
    );
  }
  return (
    <Page title={t.reset.title} lead={t.reset.lead} narrow>
      <section className="card">
        <Form
          submit={t.reset.submit}
          run={async ({ password = '', dropOthers }) => {
            const input = { token, password, dropOtherSignInMethods: dropOthers === 'on' };
            const { resetPassword } = await send(ResetPassword, { input });
            if (resetPassword.passwordReset) setDone(resetPassword);
            return resetPassword.userErrors;
          }}
        >
          <NewPasswordField />
          <Field label={t.reset.drop} name="dropOthers" type="checkbox" hint={t.reset.dropHint} />
        </Form>
      </section>
      <p className="quiet">
        {t.confirm.late} <Link to="forgot-password">{t.reset.ask}</Link>
      </p>
    </Page>
  );
}
