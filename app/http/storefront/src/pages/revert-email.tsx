// The page of the link that was mailed to the old e-mail address: it gives the account back, and leads to a new password.
import type { ReactNode } from 'react';
import { MailedLink } from '../components/mailed-link.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { addressOf } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';

const RevertEmail = graphql(`
  mutation RevertEmailChange($input: RevertEmailChangeInput!) {
    revertEmailChange(input: $input) { email resetToken userErrors { code field message } }
  }
`);

export default function RevertEmailPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  return (
    <MailedLink
      {...t.revertEmail}
      run={async (token) => {
        const { email, resetToken, userErrors } = (await send(RevertEmail, { input: { token } })).revertEmailChange;
        const said = t.revertEmail.done(email ?? '');
        const done = resetToken ? (
          <>
            <p>{said}</p>
            <p>
              <a href={`${addressOf('reset-password')}?token=${encodeURIComponent(resetToken)}`}>{t.reset.title}</a>
            </p>
          </>
        ) : (
          said
        );
        return { errors: userErrors, done };
      }}
    />
  );
}
