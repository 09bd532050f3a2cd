// The app with codes, and the recovery codes beside it.
import { type ReactNode, useState } from 'react';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';
import { QrCode } from './qr-code.tsx';

const BeginTotp = graphql(`
  mutation BeginTotp {
    beginTotp { ticket secret uri userErrors { code field message } }
  }
`);
const ConfirmTotp = graphql(`
  mutation ConfirmTotp($input: ConfirmTotpInput!) {
    confirmTotp(input: $input) { customer { id } recoveryCodes userErrors { code field message } }
  }
`);
const RenewCodes = graphql(`
  mutation RenewRecoveryCodes {
    renewRecoveryCodes { customer { id } recoveryCodes userErrors { code field message } }
  }
`);
const DisableTotp = graphql(`
  mutation DisableTotp {
    disableTotp(input: {}) { customer { id } disabled userErrors { code field message } }
  }
`);

interface Begun {
  ticket: string;
  secret: string;
  uri: string;
}

export function SecondFactor({ isOn, codesLeft }: { isOn: boolean; codesLeft: number }): ReactNode {
  const t = useTexts();
  const send = useSend();
  const [begun, setBegun] = useState<Begun | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);

  return (
    <section className="card">
      <h2>{t.totp.title}</h2>
      <p className="quiet">{isOn ? t.totp.on(codesLeft) : t.totp.lead}</p>
      {codes && <RecoveryCodes codes={codes} />}
      {!isOn && !begun && (
        <Form
          submit={t.totp.begin}
          run={async () => {
            const { ticket, secret, uri, userErrors } = (await send(BeginTotp, {})).beginTotp;
            if (ticket && secret && uri) setBegun({ ticket, secret, uri });
            return userErrors;
          }}
        />
      )}
      {!isOn && begun && (
        <>
          <p>{t.totp.scan}</p>
          <div className="row">
            <QrCode text={begun.uri} label={t.totp.qr} />
            <div>
              <p className="quiet small">{t.totp.byHand}</p>
              <p>
                <code data-testid="totp-secret">{begun.secret}</code>
              </p>
              <p>
                <a href={begun.uri}>{t.totp.open}</a>
              </p>
            </div>
          </div>
          <Form
            submit={t.totp.confirm}
            run={async ({ code = '' }) => {
              const { recoveryCodes, userErrors } = (await send(ConfirmTotp, { input: { ticket: begun.ticket, code } }))
                .confirmTotp;
              if (recoveryCodes) {
                setCodes(recoveryCodes);
                setBegun(null);
              }
              return userErrors;
            }}
          >
            <Field label={t.fields.totp} name="code" inputMode="numeric" autoComplete="one-time-code" required />
          </Form>
        </>
      )}
      {isOn && (
        <div className="row">
          <Form
            kind="plain"
            submit={t.totp.renew}
            run={async () => {
              const { recoveryCodes, userErrors } = (await send(RenewCodes, {})).renewRecoveryCodes;
              if (recoveryCodes) setCodes(recoveryCodes);
              return userErrors;
            }}
          />
          <Form
            kind="danger"
            submit={t.totp.remove}
            run={async () => {
              const { disabled, userErrors } = (await send(DisableTotp, {})).disableTotp;
              if (disabled) setCodes(null);
              return userErrors;
            }}
          />
        </div>
      )}
    </section>
  );
}

function RecoveryCodes({ codes }: { codes: readonly string[] }): ReactNode {
  const t = useTexts();
  return (
    <Notice kind="good">
      <p>{t.totp.codes}</p>
      <ul className="codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
    </Notice>
  );
}
