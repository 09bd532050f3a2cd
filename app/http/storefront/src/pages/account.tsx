// The profile. It is sent with the version that was read, so that no change from elsewhere is lost.
import type { ReactNode } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useMoment, useTexts } from '../texts/texts.tsx';

const Profile = graphql(`
  query Profile {
    me {
      id customerNumber email status lastLoginAt
      title firstName lastName company contactEmail contactPhone preferredLanguage preferredCurrency
      metadata { version createdAt }
    }
  }
`);
const UpdateProfile = graphql(`
  mutation UpdateProfile($input: UpdateMeInput!) {
    updateMe(input: $input) {
      customer { id title firstName lastName company contactEmail contactPhone metadata { version } }
      userErrors { code field message }
    }
  }
`);
const TEXTS = ['title', 'firstName', 'lastName', 'company', 'contactEmail', 'contactPhone'] as const;

export default function ProfilePage(): ReactNode {
  const t = useTexts();
  const moment = useMoment();
  const send = useSend();
  return (
    <AccountPage name="account">
      <Data of={Profile}>
        {({ me }) =>
          me && (
            <>
              <section className="card">
                <dl className="facts">
                  <dt>{t.profile.number}</dt>
                  <dd>{me.customerNumber}</dd>
                  <dt>{t.fields.email}</dt>
                  <dd>{me.email}</dd>
                  <dt>{t.profile.since}</dt>
                  <dd>{moment(me.metadata.createdAt)}</dd>
                  <dt>{t.profile.status}</dt>
                  <dd>{t.profile.statuses[me.status]}</dd>
                </dl>
              </section>
              <section className="card">
                <Form
                  submit={t.save}
                  done={t.saved}
                  label={t.account.account.title}
                  run={async (values) => {
                    const texts = Object.fromEntries(TEXTS.map((name) => [name, values[name] || null]));
                    const input = {
                      ...texts,
                      preferredLanguage: values['preferredLanguage'] || null,
                      preferredCurrency: values['preferredCurrency'] || null,
                      metadata: { version: me.metadata.version },
                    };
                    return (await send(UpdateProfile, { input })).updateMe.userErrors;
                  }}
                >
                  <Field label={t.fields.title} name="title" defaultValue={me.title ?? ''} required={false} />
                  <div className="pair">
                    <Field
                      label={t.fields.firstName}
                      name="firstName"
                      autoComplete="given-name"
                      defaultValue={me.firstName ?? ''}
                    />
                    <Field
                      label={t.fields.lastName}
                      name="lastName"
                      autoComplete="family-name"
                      defaultValue={me.lastName ?? ''}
                    />
                  </div>
                  <Field
                    label={t.fields.company}
                    name="company"
                    autoComplete="organization"
                    defaultValue={me.company ?? ''}
                    required={false}
                  />
                  <div className="pair">
                    <Field
                      label={t.fields.contactEmail}
                      name="contactEmail"
                      type="email"
                      autoComplete="email"
                      defaultValue={me.contactEmail ?? ''}
                      required={false}
                    />
                    <Field
                      label={t.fields.phone}
                      name="contactPhone"
                      type="tel"
                      autoComplete="tel"
                      defaultValue={me.contactPhone ?? ''}
                      required={false}
                    />
                  </div>
                  <div className="pair">
                    <Field
                      label={t.fields.language}
                      name="preferredLanguage"
                      defaultValue={me.preferredLanguage ?? ''}
                      options={languages(me.preferredLanguage, t.fields)}
                    />
                    <Field
                      label={t.fields.currency}
                      name="preferredCurrency"
                      defaultValue={me.preferredCurrency ?? ''}
                      options={['', 'EUR', 'USD', 'GBP', 'CHF', 'JPY'].map((code) => [code, code || t.fields.ofTheSite])}
                    />
                  </div>
                </Form>
              </section>
            </>
          )
        }
      </Data>
    </AccountPage>
  );
}

/** Return the choices, with the language that the customer has already. */
function languages(own: string | null, t: { ofTheSite: string }): (readonly [string, string])[] {
  const codes = new Set(['en', 'de', ...(own ? [own] : [])]);
  const names = [...codes].map((code) => [code, new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code] as const);
  return [['', t.ofTheSite], ...names];
}
