// The page of the mailed link that confirms a sign-up. In another browser it asks for the password of the sign-up.
import { type ReactNode, useState } from 'react';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { Page } from '../components/page.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { Link, usePlace } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';

const ConfirmSignup = graphql(`
  mutation ConfirmSignup($input: ConfirmSignupInput!) {
    confirmSignup(input: $input) { alreadyConfirmed userErrors { code field message } }
  }
`);

export default function ConfirmSignupPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const token = usePlace().query.get('token') ?? '';
  const [state, setState] = useState<'asked' | 'password' | 'done' | 'before'>('asked');
  if (state === 'done' || state === 'before') {
    return (
      <Page title={t.confirm.doneTitle} narrow>
        <Notice kind="good">{state === 'done' ? t.confirm.done : t.confirm.before}</Notice>
        <Link to="login" className="button">{t.header.logIn}</Link>
      </Page>
    );
  }
  return (
    <Page title={t.confirm.title} lead={state === 'password' ? t.confirm.elsewhere : t.confirm.lead} narrow>
      <section className="card">
        <Form
          key={state}
          submit={t.confirm.submit}
          run={async ({ password }) => {
            const input = { token, ...(password && { password }) };
            const { alreadyConfirmed, userErrors } = (await send(ConfirmSignup, { input })).confirmSignup;
            if (userErrors.some(({ code }) => code === 'PASSWORD_REQUIRED') && state === 'asked') {
              setState('password');
              return [];
            }
            if (!userErrors.length) setState(alreadyConfirmed ? 'before' : 'done');
            return userErrors;
          }}
        >
          {state === 'password' && (
            <Field label={t.fields.password} name="password" type="password" autoComplete="current-password" required />
          )}
        </Form>
      </section>
      <p className="quiet">
        {t.confirm.late} <Link to="sign-up">{t.header.signUp}</Link>
      </p>
    </Page>
  );
}
