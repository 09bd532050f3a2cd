// The header: the shop's name, the way to the account, the language, and the basket.
import type { ReactNode } from 'react';
import { useBasket } from '../basket.ts';
import { useSession } from '../gateway.tsx';
import { Link } from '../router.tsx';
import { useSpeech } from '../texts/texts.tsx';

export function Header(): ReactNode {
  const { texts: t, language, choose } = useSpeech();
  const { shop, isCustomer, sessionId } = useSession();
  const { count } = useBasket(sessionId);
  const other = language === 'en' ? 'de' : 'en';
  return (
    <header className="header">
      <div className="wide">
        <Link to="" className="name">
          <svg width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="9" fill="currentColor" />
            <path d="M10 13h12l-1.2 11H11.2zM12.500 13a3.500 3.500 0 0 1 7 0" fill="none" stroke="var(--on-accent)" strokeWidth="2" />
          </svg>
          {shop?.name ?? t.header.shop}
        </Link>
        <nav aria-label={t.header.main}>
          {isCustomer ? (
            <Link to="account">{t.header.account}</Link>
          ) : (
            <>
              <Link to="login">{t.header.logIn}</Link>
              <Link to="sign-up">{t.header.signUp}</Link>
            </>
          )}
          <button type="button" lang={other} onClick={() => void choose(other)}>
            {other === 'de' ? 'Deutsch' : 'English'}
          </button>
        </nav>
        <Link to="" className="basket" aria-current={undefined} title={sessionId ? t.header.session(sessionId) : undefined}>
          {t.header.basket} <b>{count}</b>
        </Link>
      </div>
    </header>
  );
}
