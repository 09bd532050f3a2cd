// Asks for the mail with the link to a new password; the answer is the same for every address.
import { type ReactNode, useState } from 'react';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { MailboxHint } from '../components/mailbox-hint.tsx';
import { Page } from '../components/page.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { Link } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';

const RequestReset = graphql(`
  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { accepted userErrors { code field message } }
  }
`);

export default function ForgotPassword(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const [isAsked, setAsked] = useState(false);
  return (
    <Page title={t.reset.forgotten} lead={t.reset.forgottenLead} narrow>
      {isAsked && <MailboxHint>{t.reset.mailed}</MailboxHint>}
      <section className="card">
        <Form
          submit={t.reset.ask}
          run={async ({ email = '' }) => {
            const { accepted, userErrors } = (await send(RequestReset, { input: { email } })).requestPasswordReset;
            setAsked(accepted ?? false);
            return userErrors;
          }}
        >
          <Field label={t.fields.email} name="email" type="email" autoComplete="username" required />
        </Form>
      </section>
      <Link to="login">{t.header.logIn}</Link>
    </Page>
  );
}
