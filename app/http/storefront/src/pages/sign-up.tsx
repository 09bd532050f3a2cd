// Sign-up: the account is made when the mailed link comes back, or at once, or when somebody at the shop lets it in.
import { type ReactNode, useState } from 'react';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { MailboxHint } from '../components/mailbox-hint.tsx';
import { Notice } from '../components/notice.tsx';
import { Page } from '../components/page.tsx';
import { NewPasswordField } from '../components/password-field.tsx';
import { useSend, useSession } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { Link } from '../router.tsx';
import { useSpeech } from '../texts/texts.tsx';

const SignUp = graphql(`
  mutation SignUp($input: SignupInput!) {
    signup(input: $input) { customerId status userErrors { code field message } }
  }
`);
const Resend = graphql(`
  mutation ResendConfirmation($input: ResendConfirmationInput!) {
    resendConfirmation(input: $input) { accepted userErrors { code field message } }
  }
`);

export default function SignUpPage(): ReactNode {
  const { texts: t, language } = useSpeech();
  const send = useSend();
  const { shop } = useSession();
  const [done, setDone] = useState<{ email: string; status: string } | null>(null);

  if (done?.status === 'CONFIRMATION_SENT') {
    return (
      <Page title={t.signUp.lookAtMail} narrow>
        <MailboxHint>{t.signUp.mailed(done.email)}</MailboxHint>
        <section className="card">
          <h2>{t.signUp.noMail}</h2>
          <Form
            submit={t.signUp.resend}
            kind="plain"
            done={t.signUp.resent}
            run={async () => (await send(Resend, { input: { email: done.email } })).resendConfirmation.userErrors}
          />
        </section>
      </Page>
    );
  }
  if (done) {
    return (
      <Page title={t.signUp.thanks} narrow>
        <Notice kind="good">{done.status === 'ACTIVE' ? t.signUp.active : t.signUp.awaiting}</Notice>
        <Link to="login" className="button">{t.header.logIn}</Link>
      </Page>
    );
  }
  const hasPassword = shop?.signInMethods.includes('PASSWORD') ?? true;
  return (
    <Page title={t.signUp.title} lead={t.signUp.lead} narrow>
      <section className="card">
        <Form
          submit={t.signUp.submit}
          run={async ({ email = '', password = '', firstName = '', lastName = '' }) => {
            const customerDetails = { firstName, lastName, preferredLanguage: language };
            const input = { email, customerDetails, ...(hasPassword && { password }) };
            const { signup } = await send(SignUp, { input });
            if (signup.status) setDone({ email, status: signup.status });
            return signup.userErrors;
          }}
        >
          <Field label={t.fields.email} name="email" type="email" autoComplete="username" required />
          {hasPassword && <NewPasswordField />}
          <div className="pair">
            <Field
              label={t.fields.firstName}
              name="firstName"
              path="customerDetails.firstName"
              autoComplete="given-name"
              required={false}
            />
            <Field
              label={t.fields.lastName}
              name="lastName"
              path="customerDetails.lastName"
              autoComplete="family-name"
              required={false}
            />
          </div>
        </Form>
      </section>
      <p className="quiet">
        {t.signUp.already} <Link to="login">{t.header.logIn}</Link>
      </p>
    </Page>
  );
}
