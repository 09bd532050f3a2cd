// The sessions of the customer: where they are logged in, and how to end that.
import type { ReactNode } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { Form } from '../components/form.tsx';
import { gateway, useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { go } from '../router.tsx';
import { useMoment, useTexts } from '../texts/texts.tsx';
import { useClient } from 'urql';

const Sessions = graphql(`
  query Sessions {
    sessions { id device site createdAt lastUsed current actor { id reason } }
  }
`);
const RevokeSession = graphql(`
  mutation RevokeSession($input: RevokeSessionInput!) {
    revokeSession(input: $input) { revoked userErrors { code field message } }
  }
`);

export default function DevicesPage(): ReactNode {
  const t = useTexts();
  const moment = useMoment();
  const send = useSend();
  const client = useClient();
  return (
    <AccountPage name="devices">
      <Data of={Sessions}>
        {({ sessions }) => (
          <>
            <ul className="items">
              {sessions.map(({ id, device, createdAt, lastUsed, current, actor }) => (
                <li key={id}>
                  <div className="what">
                    <h2>{device ?? t.devices.unknown}</h2>
                    <p className="quiet small">{t.devices.since(moment(createdAt), moment(lastUsed))}</p>
                    {current && <span className="badge good">{t.devices.this}</span>}
                    {actor && <span className="badge">{t.devices.staff(actor.reason)}</span>}
                  </div>
                  {!current && (
                    <Form
                      kind="plain slim"
                      submit={t.devices.end}
                      label={t.devices.endOf(device ?? t.devices.unknown)}
                      run={async () => {
                        const { userErrors } = (await send(RevokeSession, { input: { sessionId: id } })).revokeSession;
                        await client.query(Sessions, {}, { requestPolicy: 'network-only' }).toPromise();
                        return userErrors;
                      }}
                    />
                  )}
                </li>
              ))}
            </ul>
            <section className="card">
              <h2>{t.devices.all}</h2>
              <p>{t.devices.allLead}</p>
              <Form
                kind="danger"
                submit={t.devices.all}
                run={async () => {
                  await gateway.logout({ everywhere: true });
                  go('');
                }}
              />
            </section>
          </>
        )}
      </Data>
    </AccountPage>
  );
}
