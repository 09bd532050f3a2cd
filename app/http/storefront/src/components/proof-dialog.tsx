// The window that asks who the customer is: by password, code, app, recovery code or passkey.
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { gateway, useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';
import { Field } from './field.tsx';
import { Form, type Values } from './form.tsx';

const Reauthenticate = graphql(`
  mutation Reauthenticate($input: ReauthenticateInput!) {
    reauthenticate(input: $input) { authenticatedAt userErrors { code field message } }
  }
`);
const RequestCode = graphql(`
  mutation RequestLoginCode($input: RequestLoginCodeInput!) {
    requestLoginCode(input: $input) { ticket userErrors { code field message } }
  }
`);
const ASKED = ['PASSKEY', 'PASSWORD', 'TOTP', 'EMAIL_CODE', 'RECOVERY_CODE'] as const;
type Asked = (typeof ASKED)[number];

interface ProofDialogProps {
  methods: readonly string[];
  settle: (isProved: boolean) => void;
}

export default function ProofDialog({ methods, settle }: ProofDialogProps): ReactNode {
  const t = useTexts();
  const send = useSend();
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const offered = ASKED.filter((method) => methods.includes(method));
  const [method, setMethod] = useState<Asked | undefined>(offered.find((each) => each !== 'PASSKEY') ?? offered[0]);
  const [ticket, setTicket] = useState<string | null>(null);
  useEffect(() => dialog.current?.showModal(), []);

  async function run(values: Values): ReturnType<Parameters<typeof Form>[0]['run']> {
    if (method === 'EMAIL_CODE' && !ticket) {
      const { requestLoginCode } = await send(RequestCode, { input: {} });
      setTicket(requestLoginCode.ticket);
      return requestLoginCode.userErrors;
    }
    const input = method === 'PASSKEY' ? await gateway.usePasskey() : answer(method, values, ticket);
    const { reauthenticate } = await send(Reauthenticate, { input });
    if (!reauthenticate.userErrors.length) settle(true);
    return reauthenticate.userErrors;
  }

  const isCode = method === 'TOTP' || method === 'EMAIL_CODE';
  return (
    <dialog ref={dialog} aria-labelledby={title} onCancel={() => settle(false)}>
      <div className="stack">
        <h2 id={title}>{t.proof.title}</h2>
        <p className="quiet">{t.proof.lead}</p>
        <Form
          key={method}
          run={run}
          submit={method === 'PASSKEY' ? t.passkey.use : method === 'EMAIL_CODE' && !ticket ? t.code.send : t.proof.go}
        >
          {method === 'PASSWORD' && (
            <Field label={t.fields.password} name="password" type="password" autoComplete="current-password" required />
          )}
          {method === 'RECOVERY_CODE' && <Field label={t.fields.recoveryCode} name="recoveryCode" autoComplete="off" required />}
          {isCode && (method === 'TOTP' || ticket) && (
            <Field
              label={method === 'TOTP' ? t.fields.totp : t.fields.emailCode}
              name={method === 'TOTP' ? 'totp' : 'emailCode'}
              inputMode="numeric"
              autoComplete="one-time-code"
              required
            />
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
          <button type="button" className="link" onClick={() => settle(false)}>{t.cancel}</button>
        </div>
      </div>
    </dialog>
  );
}

function answer(method: Asked | undefined, values: Values, ticket: string | null): Record<string, string | null> {
  if (method === 'EMAIL_CODE') return { emailCode: values['emailCode'] ?? '', ticket };
  if (method === 'TOTP') return { totp: values['totp'] ?? '' };
  if (method === 'RECOVERY_CODE') return { recoveryCode: values['recoveryCode'] ?? '' };
  return { password: values['password'] ?? '' };
}
