// The page of the link that keeps an account which is about to be erased.
import type { ReactNode } from 'react';
import { MailedLink } from '../components/mailed-link.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';

const CancelAnonymization = graphql(`
  mutation CancelAnonymization($input: CancelAnonymizationInput!) {
    cancelAnonymization(input: $input) { anonymizationInfo { status } userErrors { code field message } }
  }
`);

export default function CancelAnonymizationPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  return (
    <MailedLink
      {...t.keepAccount}
      run={async (token) => {
        const { userErrors } = (await send(CancelAnonymization, { input: { token } })).cancelAnonymization;
        return { errors: userErrors, done: t.keepAccount.done };
      }}
    />
  );
}
