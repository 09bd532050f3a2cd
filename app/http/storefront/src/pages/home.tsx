// The home page: a few things to put into the basket, which the session carries through the login.
import type { ReactNode } from 'react';
import '../styles/home.css';
import { useBasket } from '../basket.ts';
import { Notice } from '../components/notice.tsx';
import { useSession } from '../gateway.tsx';
import { Link } from '../router.tsx';
import { useSpeech } from '../texts/texts.tsx';
import { Page } from '../components/page.tsx';
import { PRODUCTS, Picture } from '../products.tsx';

export default function Home(): ReactNode {
  const { texts: t, language } = useSpeech();
  const { shop, sessionId, isCustomer } = useSession();
  const { count, add } = useBasket(sessionId);
  const price = new Intl.NumberFormat(language, { style: 'currency', currency: 'EUR' });
  return (
    <Page title={shop?.name ?? t.header.shop} lead={t.home.lead}>
      {count > 0 && (
        <div role="status">
          <Notice kind="good">{isCustomer ? t.home.kept(count) : t.home.stays(count)}</Notice>
        </div>
      )}
      <ul className="products">
        {PRODUCTS.map(({ id, cents }) => (
          <li key={id} className="product">
            <Picture id={id} />
            <div>
              <h2>{t.products[id]}</h2>
              <p className="quiet">{price.format(cents / 100)}</p>
            </div>
            <button type="button" className="button plain" onClick={add} aria-label={t.home.add(t.products[id])}>
              {t.home.intoBasket}
            </button>
          </li>
        ))}
      </ul>
      {isCustomer === false && (
        <section className="card">
          <h2>{t.home.tryIt}</h2>
          <p>{t.home.how}</p>
          <div className="row">
            <Link to="sign-up" className="button">{t.header.signUp}</Link>
            <Link to="login" className="button plain">{t.header.logIn}</Link>
          </div>
        </section>
      )}
    </Page>
  );
}
