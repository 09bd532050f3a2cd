// The frame of a page of the account: the ways to the other ones, and the login for whoever is not logged in.
import type { ReactNode } from 'react';
import { useErrorText } from '../errors.ts';
import { gateway, useSession } from '../gateway.tsx';
import { Link, go } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';
import { Failure } from './failure.tsx';
import { Notice } from './notice.tsx';
import { Page } from './page.tsx';

const PAGES = [
  'account',
  'addresses',
  'lists',
  'payment',
  'consents',
  'password',
  'email',
  'security',
  'devices',
  'activity',
  'privacy',
] as const;
export type AccountPageName = (typeof PAGES)[number];

interface AccountPageProps {
  name: AccountPageName;
  children: ReactNode;
}

export function AccountPage({ name, children }: AccountPageProps): ReactNode {
  const t = useTexts();
  const errorText = useErrorText();
  const { isCustomer, initialPassword, failure } = useSession();
  const { title, lead } = t.account[name];
  if (failure) return <Failure>{errorText(failure)}</Failure>;
  if (isCustomer === null) return <p className="quiet" role="status">{t.loading}</p>;
  if (!isCustomer) {
    return (
      <Page title={title} narrow>
        <Notice>{t.account.logInFirst}</Notice>
        <Link to="login" className="button">{t.header.logIn}</Link>
      </Page>
    );
  }
  return (
    <div className="account">
      <nav aria-label={t.account.nav}>
        <ul>
          {PAGES.map((page) => (
            <li key={page}>
              <Link to={page}>{t.account[page].title}</Link>
            </li>
          ))}
          <li>
            <button type="button" className="button plain slim" onClick={() => void gateway.logout().then(() => go(''))}>
              {t.account.logOut}
            </button>
          </li>
        </ul>
      </nav>
      <Page title={title} lead={lead}>
        {initialPassword && name !== 'password' && (
          <Notice kind="bad">
            {t.account.initialPassword} <Link to="password">{t.account.password.title}</Link>
          </Notice>
        )}
        {children}
      </Page>
    </div>
  );
}
