// What a login still needs: a mailed code, the second factor, or a second factor to be set up.
import type { Client, LoginStep as Step, LoginResult, SignInMethod, UserError } from 'customer-gateway-client';
import { type ComponentType, type ReactNode, useState } from 'react';
import { gateway } from '../gateway.tsx';
import { useTexts } from '../texts/texts.tsx';
import { Field } from './field.tsx';
import { Form, type Values } from './form.tsx';
import { MailboxHint } from './mailbox-hint.tsx';
import { Page } from './page.tsx';

const OFFERED = ['EMAIL_CODE', 'TOTP', 'PASSKEY', 'RECOVERY_CODE', 'PASSWORD'] as const;
type Offered = (typeof OFFERED)[number];

export interface StepFrame {
  title: string;
  lead?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}

interface LoginStepProps {
  first: Step;
  /** The code of a mailed link. */
  code?: string;
  /** Whose session it is, if not that of the page. */
  client?: Client;
  /** What stands around it: a page of its own, if it is left out. */
  frame?: ComponentType<StepFrame>;
  /** Called when the person is logged in; the session tells everybody else. */
  onDone?: (result: LoginResult) => void;
}

export function LoginStep({ first, code, client = gateway, frame: Frame = Page, onDone }: LoginStepProps): ReactNode {
  const t = useTexts();
  const [step, setStep] = useState(first);
  // A login by code has sent it already; as a second step it is sent when it is wanted.
  const [isSent, setSent] = useState(isCodeAlone(first));
  const offered = OFFERED.filter((method) => step.methods.includes(method));
  const [method, setMethod] = useState<Offered | undefined>(offered[0]);
  const mustSend = method === 'EMAIL_CODE' && !isSent;

  function take(result: LoginResult | undefined): readonly UserError[] {
    if (!result) return [];
    if (result.state === 'done') onDone?.(result);
    if (result.state === 'next' && result.step.ticket !== step.ticket) {
      setStep(result.step);
      setSent(false);
      setMethod(OFFERED.find((each) => result.step.methods.includes(each)));
    }
    return 'errors' in result ? result.errors : [];
  }

  async function run(values: Values): Promise<readonly UserError[]> {
    const rememberDevice = values['rememberDevice'] === 'on';
    if (method === 'PASSKEY') return take(await client.loginWithPasskey({ step, rememberDevice }));
    if (mustSend) {
      const result = await client.sendCode(step);
      if (result.state === 'next') setSent(true);
      return 'errors' in result ? result.errors : [];
    }
    return take(await client.completeLogin(step, { ...answerOf(method, values), rememberDevice }));
  }

  return (
    <Frame title={method === 'EMAIL_CODE' ? t.code.title : t.step.title} lead={method && t.step.lead[method]} narrow>
      {method === 'EMAIL_CODE' && isSent && <MailboxHint>{t.code.mailed}</MailboxHint>}
      <section className="card">
        <Form
          key={`${step.ticket} ${method}`}
          run={run}
          submit={method === 'PASSKEY' ? t.passkey.use : mustSend ? t.code.send : t.header.logIn}
        >
          {!mustSend && <AnswerField method={method} code={code} />}
          {!isCodeAlone(step) && !mustSend && (
            <Field label={t.step.remember} name="rememberDevice" type="checkbox" hint={t.step.rememberHint} />
          )}
        </Form>
        <div className="row">
          {offered
            .filter((other) => other !== method)
            .map((other) => (
              <button key={other} type="button" className="link" onClick={() => setMethod(other)}>
                {t.proof.by[other]}
              </button>
            ))}
        </div>
      </section>
    </Frame>
  );
}

function AnswerField({ method, code }: { method: Offered | undefined; code: string | undefined }): ReactNode {
  const t = useTexts();
  if (method === 'PASSWORD')
    return <Field label={t.fields.password} name="password" type="password" autoComplete="current-password" required />;
  if (method === 'RECOVERY_CODE')
    return <Field label={t.fields.recoveryCode} name="recoveryCode" autoComplete="off" required />;
  if (method === 'TOTP')
    return <Field label={t.fields.totp} name="totp" inputMode="numeric" autoComplete="one-time-code" required />;
  if (method === 'EMAIL_CODE')
    return (
      <Field
        label={t.fields.emailCode}
        name="emailCode"
        inputMode="numeric"
        autoComplete="one-time-code"
        defaultValue={code}
        required
      />
    );
  return null;
}

function answerOf(method: SignInMethod | undefined, values: Values): Record<string, string> {
  const names = { EMAIL_CODE: 'emailCode', TOTP: 'totp', RECOVERY_CODE: 'recoveryCode', PASSWORD: 'password' } as const;
  const name = names[method as keyof typeof names] ?? 'password';
  return { [name]: values[name] ?? '' };
}

function isCodeAlone(step: Step): boolean {
  return step.methods.length === 1 && step.methods[0] === 'EMAIL_CODE';
}
