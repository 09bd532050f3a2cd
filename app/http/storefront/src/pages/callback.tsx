// The page that a provider of social login sends the person back to.
import type { SocialLink, SocialResult } from 'customer-gateway-client';
import { type ReactNode, useEffect, useState } from 'react';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { LoginStep } from '../components/login-step.tsx';
import { MailboxHint } from '../components/mailbox-hint.tsx';
import { Notice } from '../components/notice.tsx';
import { Page } from '../components/page.tsx';
import { useErrorText } from '../errors.ts';
import { gateway } from '../gateway.tsx';
import { Link, go } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';

export default function Callback(): ReactNode {
  const t = useTexts();
  const errorText = useErrorText();
  const [result, setResult] = useState<SocialResult | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    gateway.finishSocialLogin().then(setResult, setFailure);
  }, []);
  useEffect(() => {
    if (result?.state === 'done') go('account', { replace: true });
    if (result?.state === 'linked' || result?.state === 'proved') go('security', { replace: true });
  }, [result]);

  if (result?.state === 'next') return <LoginStep first={result.step} onDone={setResult} />;
  if (result?.state === 'link') return <ConfirmLink link={result.link} onDone={setResult} />;
  const said =
    result?.state === 'canceled'
      ? t.social.canceled
      : result?.state === 'refused'
        ? result.errors.map(errorText).join(' ')
        : failure
          ? errorText(failure)
          : null;
  return (
    <Page title={t.social.title} narrow>
      {said ? (
        <div role="alert">
          <Notice kind="bad">{said}</Notice>
        </div>
      ) : (
        <p role="status">{t.loading}</p>
      )}
      {said && <Link to="login" className="button">{t.header.logIn}</Link>}
    </Page>
  );
}

interface ConfirmLinkProps {
  link: SocialLink;
  onDone: (result: SocialResult) => void;
}

/** There is an account with this address already: whoever owns it proves that, and it is linked. */
function ConfirmLink({ link, onDone }: ConfirmLinkProps): ReactNode {
  const t = useTexts();
  const [by, setBy] = useState<'code' | 'password'>('code');
  return (
    <Page title={t.social.linkTitle} lead={t.social.linkLead} narrow>
      {by === 'code' && <MailboxHint>{t.social.mailed}</MailboxHint>}
      <section className="card">
        <Form
          key={by}
          submit={t.social.link}
          run={async ({ code = '', password = '' }) => {
            const result = await gateway.confirmSocialLink(link, by === 'code' ? { code } : { password });
            if (result.state === 'link' || result.state === 'refused') return result.errors;
            onDone(result);
            return [];
          }}
        >
          {by === 'code' ? (
            <Field label={t.fields.emailCode} name="code" inputMode="numeric" autoComplete="one-time-code" required />
          ) : (
            <Field label={t.fields.password} name="password" type="password" autoComplete="current-password" required />
          )}
        </Form>
        <button type="button" className="link" onClick={() => setBy(by === 'code' ? 'password' : 'code')}>
          {by === 'code' ? t.proof.by.PASSWORD : t.proof.by.EMAIL_CODE}
        </button>
      </section>
    </Page>
  );
}
