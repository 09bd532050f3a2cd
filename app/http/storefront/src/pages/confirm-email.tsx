// The page of the link that was mailed to a new e-mail address.
import type { ReactNode } from 'react';
import { MailedLink } from '../components/mailed-link.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';

const ConfirmEmail = graphql(`
  mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) {
    confirmEmailChange(input: $input) { email userErrors { code field message } }
  }
`);

export default function ConfirmEmailPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  return (
    <MailedLink
      {...t.confirmEmail}
      run={async (token) => {
        const { email, userErrors } = (await send(ConfirmEmail, { input: { token } })).confirmEmailChange;
        return { errors: userErrors, done: t.confirmEmail.done(email ?? '') };
      }}
    />
  );
}
