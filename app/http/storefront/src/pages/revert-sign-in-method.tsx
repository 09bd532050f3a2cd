// The page of the link in a mail about a way to log in that was added or removed: it takes that back.
import type { ReactNode } from 'react';
import { MailedLink } from '../components/mailed-link.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';

const RevertMethod = graphql(`
  mutation RevertSignInMethod($input: RevertSignInMethodInput!) {
    revertSignInMethod(input: $input) { method restored userErrors { code field message } }
  }
`);

export default function RevertSignInMethodPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  return (
    <MailedLink
      {...t.revertMethod}
      run={async (token) => {
        const { restored, userErrors } = (await send(RevertMethod, { input: { token } })).revertSignInMethod;
        return { errors: userErrors, done: restored ? t.revertMethod.restored : t.revertMethod.removed };
      }}
    />
  );
}
