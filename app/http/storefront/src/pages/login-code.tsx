// The page of a mailed code: it is good in the browser that has asked for it, whichever tab the link opens in.
import type { LoginStep as Step } from 'customer-gateway-client';
import { type ReactNode, useEffect, useState } from 'react';
import { LoginStep } from '../components/login-step.tsx';
import { Notice } from '../components/notice.tsx';
import { Page } from '../components/page.tsx';
import { gateway, useSession } from '../gateway.tsx';
import { Link, go, usePlace } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';

export default function LoginCode(): ReactNode {
  const t = useTexts();
  const { query } = usePlace();
  const { isCustomer } = useSession();
  const [step, setStep] = useState<Step | null | undefined>();
  useEffect(() => void gateway.step().then((kept) => setStep(kept ?? null)), []);
  useEffect(() => {
    if (isCustomer) go('account', { replace: true });
  }, [isCustomer]);
  if (step) return <LoginStep first={step} code={query.get('code') ?? ''} />;
  return (
    <Page title={t.code.title} narrow>
      {step === null && <Notice>{t.code.elsewhere(query.get('code') ?? '')}</Notice>}
      <Link to="login" className="button">{t.header.logIn}</Link>
    </Page>
  );
}
