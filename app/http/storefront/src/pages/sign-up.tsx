// Sign-up: the account is made when the mailed link comes back, or at once, or when somebody at the shop lets it in.
import type { UserError } from 'customer-gateway-client';
import { type ReactNode, useState } from 'react';
import { DidYouMean } from '../components/did-you-mean.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { MailboxHint } from '../components/mailbox-hint.tsx';
import { Notice } from '../components/notice.tsx';
import { Page } from '../components/page.tsx';
import { NewPasswordField } from '../components/password-field.tsx';
import { useSend, useSession } from '../gateway.tsx';
import { type VariablesOf, graphql } from '../graphql.ts';
import { Link } from '../router.tsx';
import { useSpeech } from '../texts/texts.tsx';

const SignUp = graphql(`
  mutation SignUp($input: SignupInput!) {
    signup(input: $input) { customerId status emailSuggestion userErrors { code field message } }
  }
`);
const Resend = graphql(`
  mutation ResendConfirmation($input: ResendConfirmationInput!) {
    resendConfirmation(input: $input) { accepted userErrors { code field message } }
  }
`);

type Input = VariablesOf<typeof SignUp>['input'] & { email: string };
interface Done {
  input: Input;
  status: string;
  suggestion: string | null;
}

export default function SignUpPage(): ReactNode {
  const { texts: t, language } = useSpeech();
  const send = useSend();
  const { shop } = useSession();
  const [done, setDone] = useState<Done | null>(null);

  async function signUp(input: Input): Promise<readonly UserError[]> {
    const { status, emailSuggestion, userErrors } = (await send(SignUp, { input })).signup;
    if (status) setDone({ input, status, suggestion: emailSuggestion });
    return userErrors;
  }
  const question = done && <DidYouMean email={done.suggestion} run={(email) => signUp({ ...done.input, email })} />;

  if (done?.status === 'CONFIRMATION_SENT') {
    return (
      <Page key={done.input.email} title={t.signUp.lookAtMail} narrow>
        <MailboxHint>{t.signUp.mailed(done.input.email)}</MailboxHint>
        {question}
        <section className="card">
          <h2>{t.signUp.noMail}</h2>
          <Form
            submit={t.signUp.resend}
            kind="plain"
            done={t.signUp.resent}
            run={async () => (await send(Resend, { input: { email: done.input.email } })).resendConfirmation.userErrors}
          />
        </section>
      </Page>
    );
  }
  if (done) {
    return (
      <Page key={done.input.email} title={t.signUp.thanks} narrow>
        <Notice kind="good">{done.status === 'ACTIVE' ? t.signUp.active : t.signUp.awaiting}</Notice>
        {question}
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
          run={({ email = '', password = '', firstName = '', lastName = '' }) => {
            const customerDetails = { firstName, lastName, preferredLanguage: language };
            return signUp({ email, customerDetails, ...(hasPassword && { password }) });
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
