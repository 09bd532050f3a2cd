// What the customer allows the shop to send: kept in `mixins.consents`, each with the time of the last word on it.
import type { ReactNode } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useMoment, useTexts } from '../texts/texts.tsx';

const Consents = graphql(`
  query Consents {
    me { id mixins metadata { version } }
  }
`);
const SaveConsents = graphql(`
  mutation SaveConsents($input: UpdateMeInput!) {
    updateMe(input: $input) { customer { id mixins metadata { version } } userErrors { code field message } }
  }
`);
const KINDS = ['newsletter', 'offers', 'survey'] as const;

interface Consent {
  given: boolean;
  at: string;
}

export default function ConsentsPage(): ReactNode {
  const t = useTexts();
  const moment = useMoment();
  const send = useSend();
  return (
    <AccountPage name="consents">
      <Data of={Consents}>
        {({ me }) => {
          const mixins = (me?.mixins ?? {}) as { consents?: Partial<Record<string, Consent>> };
          const now = mixins.consents ?? {};
          return (
            <section className="card">
              <Form
                submit={t.save}
                done={t.saved}
                run={async (values) => {
                  const at = new Date().toISOString();
                  const consents = KINDS.map((kind) => {
                    const given = values[kind] === 'on';
                    return [kind, now[kind]?.given === given ? now[kind] : { given, at }];
                  });
                  const input = {
                    mixins: { consents: Object.fromEntries(consents) as object },
                    metadata: { version: me?.metadata.version ?? 0 },
                  };
                  return (await send(SaveConsents, { input })).updateMe.userErrors;
                }}
              >
                {KINDS.map((kind) => {
                  const consent = now[kind];
                  return (
                    <Field
                      key={kind}
                      label={t.consents[kind]}
                      name={kind}
                      type="checkbox"
                      defaultChecked={consent?.given ?? false}
                      hint={consent ? t.consents.since(consent.given, moment(consent.at)) : t.consents.never}
                    />
                  );
                })}
              </Form>
            </section>
          );
        }}
      </Data>
    </AccountPage>
  );
}
