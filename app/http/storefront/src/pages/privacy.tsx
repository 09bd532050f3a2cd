// The customer's rights: take all data along, or have it erased; and what was in the account before its address was proved.
import { type ReactNode, useState } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Form } from '../components/form.tsx';
import { MailboxHint } from '../components/mailbox-hint.tsx';
import { Page } from '../components/page.tsx';
import { gateway, useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';

const ExportMyData = graphql(`
  mutation ExportMyData {
    exportMyData(input: {}) { data userErrors { code field message } }
  }
`);
const RequestAnonymization = graphql(`
  mutation RequestAnonymization {
    requestAnonymization(input: {}) { anonymizationInfo { status dueAt } userErrors { code field message } }
  }
`);
const DiscardUnprovenData = graphql(`
  mutation DiscardUnprovenData {
    discardUnprovenData { customer { id } userErrors { code field message } }
  }
`);

export default function PrivacyPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const [isAsked, setAsked] = useState(false);
  if (isAsked) {
    return (
      <Page title={t.privacy.asked} narrow>
        <MailboxHint>{t.privacy.askedLead}</MailboxHint>
      </Page>
    );
  }
  return (
    <AccountPage name="privacy">
      <section className="card">
        <h2>{t.privacy.export}</h2>
        <p>{t.privacy.exportLead}</p>
        <Form
          submit={t.privacy.download}
          done={t.privacy.downloaded}
          run={async () => {
            const { data, userErrors } = (await send(ExportMyData, {})).exportMyData;
            if (data) download('my-data.json', JSON.stringify(data, null, 2));
            return userErrors;
          }}
        />
      </section>
      <section className="card">
        <h2>{t.privacy.unproven}</h2>
        <p>{t.privacy.unprovenLead}</p>
        <Form
          kind="plain"
          submit={t.privacy.discard}
          done={t.privacy.discarded}
          run={async () => (await send(DiscardUnprovenData, {})).discardUnprovenData.userErrors}
        />
      </section>
      <section className="card">
        <h2>{t.privacy.erase}</h2>
        <p>{t.privacy.eraseLead}</p>
        <Form
          kind="danger"
          submit={t.privacy.eraseNow}
          run={async () => {
            const { anonymizationInfo, userErrors } = (await send(RequestAnonymization, {})).requestAnonymization;
            if (anonymizationInfo) {
              setAsked(true);
              await gateway.request('query Who { tokenInfo { kind } }'); // the session is over: begin another one
            }
            return userErrors;
          }}
        />
      </section>
    </AccountPage>
  );
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
