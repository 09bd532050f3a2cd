// The customer's accounts at providers, and those that the shop offers besides.
import type { ReactNode } from 'react';
import { Form } from '../components/form.tsx';
import { gateway, useSend, useSession } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { addressOf } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';

const Unlink = graphql(`
  mutation UnlinkSocialAccount($input: UnlinkSocialAccountInput!) {
    unlinkSocialAccount(input: $input) { customer { id } accountId userErrors { code field message } }
  }
`);

interface Account {
  id: string;
  provider: string;
  email: string | null;
}

export function Providers({ accounts }: { accounts: readonly Account[] }): ReactNode {
  const t = useTexts();
  const send = useSend();
  const { shop } = useSession();
  const offered = shop?.socialProviders ?? [];
  if (!offered.length && !accounts.length) return null;
  const nameOf = (provider: string): string => offered.find(({ id }) => id === provider)?.name ?? provider;
  return (
    <section className="card">
      <h2>{t.social.accounts}</h2>
      <p className="quiet">{t.social.accountsLead}</p>
      {accounts.length > 0 && (
        <ul className="items">
          {accounts.map(({ id, provider, email }) => (
            <li key={id}>
              <div className="what">
                <h3>{nameOf(provider)}</h3>
                <p className="quiet small">{email}</p>
              </div>
              <Form
                kind="plain slim"
                submit={t.remove}
                label={t.social.unlink(nameOf(provider))}
                run={async () =>
                  (await send(Unlink, { input: { accountId: id } })).unlinkSocialAccount.userErrors
                }
              />
            </li>
          ))}
        </ul>
      )}
      {offered
        .filter(({ id }) => !accounts.some(({ provider }) => provider === id))
        .map(({ id, name }) => (
          <Form
            key={id}
            kind="plain"
            submit={t.social.linkWith(name)}
            label={t.social.linkWith(name)}
            run={async () => {
              const redirectUri = `${location.origin}${addressOf('callback')}`;
              location.assign(await gateway.beginSocialLogin(id, { redirectUri, purpose: 'link' }));
            }}
          />
        ))}
    </section>
  );
}
