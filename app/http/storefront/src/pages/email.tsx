// Another e-mail address: it changes when the link that is mailed to it is opened.
import type { UserError } from 'customer-gateway-client';
import { type ReactNode, useState } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { DidYouMean } from '../components/did-you-mean.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { MailboxHint } from '../components/mailbox-hint.tsx';
import { useSend } from '../gateway.tsx';
import { type VariablesOf, graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';

const Email = graphql(`
  query Email {
    me { id email emailVerified signInMethods { passwordSince } }
  }
`);
const ChangeEmail = graphql(`
  mutation ChangeEmail($input: ChangeEmailInput!) {
    changeEmail(input: $input) { accepted emailSuggestion userErrors { code field message } }
  }
`);

type Input = VariablesOf<typeof ChangeEmail>['input'];
interface Asked {
  input: Input;
  suggestion: string | null;
}

export default function EmailPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const [asked, setAsked] = useState<Asked | null>(null);

  async function change(input: Input): Promise<readonly UserError[]> {
    const { accepted, emailSuggestion, userErrors } = (await send(ChangeEmail, { input })).changeEmail;
    if (accepted) setAsked({ input, suggestion: emailSuggestion });
    return userErrors;
  }
  return (
    <AccountPage name="email">
      <Data of={Email}>
        {({ me }) => (
          <>
            {asked && <MailboxHint>{t.email.mailed(asked.input.newEmail)}</MailboxHint>}
            {asked && <DidYouMean email={asked.suggestion} run={(newEmail) => change({ ...asked.input, newEmail })} />}
            <section className="card">
              <p>
                <strong>{me?.email}</strong>{' '}
                {me?.emailVerified && <span className="badge good">{t.email.verified}</span>}
              </p>
              <Form
                submit={t.email.submit}
                clears
                run={({ newEmail = '', password, sync }) =>
                  change({ newEmail, syncContactEmail: sync === 'on', ...(password && { password }) })
                }
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
