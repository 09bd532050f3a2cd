// Login: by password, by a mailed code, with a passkey, or at a provider; then the second step where there is one.
import type { LoginResult, UserError } from 'customer-gateway-client';
import { type ReactNode, useEffect, useState } from 'react';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { LoginStep } from '../components/login-step.tsx';
import { Page } from '../components/page.tsx';
import { gateway, useSession } from '../gateway.tsx';
import { Link, addressOf, go } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';

export default function Login(): ReactNode {
  const t = useTexts();
  const { shop, isCustomer } = useSession();
  const [result, setResult] = useState<LoginResult | null>(null);
  const methods: readonly string[] = shop?.signInMethods ?? ['PASSWORD', 'PASSKEY', 'EMAIL_CODE'];

  useEffect(() => {
    if (isCustomer) go('account', { replace: true });
  }, [isCustomer]);
  useEffect(() => {
    const leaving = new AbortController();
    // The browser offers passkeys in the field of the address. Whoever does something else ends that.
    void gateway
      .loginWithPasskey({ conditional: true, signal: leaving.signal })
      .then((given) => given && setResult(given))
      .catch(() => undefined);
    return () => leaving.abort();
  }, []);

  if (result?.state === 'next') return <LoginStep first={result.step} />;

  async function take(given: LoginResult | undefined): Promise<readonly UserError[]> {
    if (given?.state === 'refused') return given.errors;
    if (given) setResult(given);
    return [];
  }

  return (
    <Page title={t.login.title} narrow>
      <section className="card">
        {methods.includes('PASSWORD') && (
          <Form
            submit={t.header.logIn}
            label={t.login.byPassword}
            run={async ({ email = '', password = '' }) => take(await gateway.login({ email, password }))}
          >
            <Field label={t.fields.email} name="email" type="email" autoComplete="username webauthn" required />
            <Field label={t.fields.password} name="password" type="password" autoComplete="current-password" required />
            <Link to="forgot-password">{t.login.forgot}</Link>
          </Form>
        )}
        <p className="or">{t.login.or}</p>
        {methods.includes('PASSKEY') && (
          <Form submit={t.passkey.use} kind="plain wide" label={t.passkey.use} run={async () => take(await gateway.loginWithPasskey())} />
        )}
      </section>
      {methods.includes('EMAIL_CODE') && (
        <section className="card">
          <h2>{t.login.byCode}</h2>
          <Form submit={t.code.send} kind="plain" label={t.login.byCode} run={async ({ email = '' }) => take(await gateway.loginByCode({ email }))}>
            <Field label={t.fields.email} name="email" type="email" autoComplete="email" required />
          </Form>
        </section>
      )}
      {shop && shop.socialProviders.length > 0 && (
        <section className="card">
          <h2>{t.social.accounts}</h2>
          {shop?.socialProviders.map(({ id, name }) => (
            <Form
              key={id}
              submit={t.login.with(name)}
              kind="plain wide"
              label={t.login.with(name)}
              run={async () => {
                const redirectUri = `${location.origin}${addressOf('callback')}`;
                location.assign(await gateway.beginSocialLogin(id, { redirectUri }));
              }}
            />
          ))}
        </section>
      )}
      <p className="quiet">
        {t.login.newHere} <Link to="sign-up">{t.header.signUp}</Link>
      </p>
    </Page>
  );
}
