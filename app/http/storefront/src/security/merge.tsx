// Joins another account of the same customer with this one: log in to it, look at what comes along, agree.
import type { LoginResult, LoginStep as Step, UserError } from 'customer-gateway-client';
import { Fragment, type ReactNode, useEffect, useRef, useState } from 'react';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { LoginStep, type StepFrame } from '../components/login-step.tsx';
import { Notice } from '../components/notice.tsx';
import { useErrorText } from '../errors.ts';
import { anotherGateway, useSend } from '../gateway.tsx';
import { type ResultOf, graphql } from '../graphql.ts';
import { useProof } from '../proof.tsx';
import { useTexts } from '../texts/texts.tsx';

const Merge = graphql(`
  mutation MergeAccounts($input: MergeAccountsInput!) {
    mergeAccounts(input: $input) {
      customer { id }
      merged { identities addresses productLists paymentInstruments orders groups legalEntities }
      userErrors { code field message }
    }
  }
`);
type Merged = NonNullable<ResultOf<typeof Merge>['mergeAccounts']['merged']>;
const KINDS = [
  ...(['identities', 'addresses', 'productLists', 'paymentInstruments'] as const),
  ...(['orders', 'groups', 'legalEntities'] as const),
];

type State =
  | { at: 'login'; failure?: string }
  | { at: 'step'; step: Step }
  | { at: 'agree'; otherAccessToken: string; merged: Merged }
  | { at: 'done'; merged: Merged };

export function MergeAccounts(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const [other] = useState(anotherGateway);
  const prove = useProof();
  const errorText = useErrorText();
  const [state, setState] = useState<State>({ at: 'login' });
  // Nobody needs the session any more, whether the accounts are one or stay two.
  useEffect(() => () => void other.logout().catch(() => undefined).finally(other.close), [other]);

  async function preview(result: LoginResult): Promise<readonly UserError[]> {
    if (result.state === 'next') setState({ at: 'step', step: result.step });
    if (result.state !== 'done') return result.errors;
    const otherAccessToken = result.session.accessToken;
    const input = { otherAccessToken, preview: true };
    const { merged, userErrors } = (await prove(() => send(Merge, { input }))).mergeAccounts;
    if (merged) setState({ at: 'agree', otherAccessToken, merged });
    return userErrors;
  }

  /** The step is over, so what is wrong with the other account stands above the login to it. */
  async function previewAfterStep(result: LoginResult): Promise<void> {
    const failure = await preview(result).then((errors) => errors.map(errorText).join(' '), errorText);
    if (failure) await leave(failure);
  }

  async function leave(failure = ''): Promise<void> {
    await other.logout().catch(() => undefined);
    setState({ at: 'login', failure });
  }

  async function merge(otherAccessToken: string): Promise<readonly UserError[]> {
    const { merged, userErrors } = (await send(Merge, { input: { otherAccessToken } })).mergeAccounts;
    if (merged) setState({ at: 'done', merged });
    return userErrors;
  }

  if (state.at === 'step')
    return <LoginStep client={other} first={state.step} frame={Frame} onDone={(result) => void previewAfterStep(result)} />;
  return (
    <section className="card">
      <Heading key={state.at} isNext={state.at !== 'login'}>{t.merge.title}</Heading>
      {state.at === 'login' && (
        <>
          <p className="quiet">{t.merge.lead}</p>
          <div role="alert">{state.failure && <Notice kind="bad">{state.failure}</Notice>}</div>
          <Form
            kind="plain"
            submit={t.merge.look}
            label={t.merge.title}
            run={async ({ email = '', password = '' }) => preview(await other.login({ email, password }))}
          >
            <Field label={t.merge.email} name="email" type="email" autoComplete="off" required />
            <Field label={t.merge.password} name="password" type="password" autoComplete="off" required />
          </Form>
        </>
      )}
      {state.at === 'agree' && (
        <>
          <p>{t.merge.wouldCome}</p>
          <Belongings merged={state.merged} />
          <p className="quiet">{t.merge.forGood}</p>
          <Form submit={t.merge.submit} label={t.merge.title} run={() => merge(state.otherAccessToken)} />
          <button type="button" className="link" onClick={() => void leave()}>{t.cancel}</button>
        </>
      )}
      {state.at === 'done' && (
        <>
          <Notice kind="good">{t.merge.done}</Notice>
          <p>{t.merge.hasCome}</p>
          <Belongings merged={state.merged} />
        </>
      )}
    </section>
  );
}

/** What stands around a step of the login, in the middle of the page. */
function Frame({ title, lead, children }: StepFrame): ReactNode {
  return (
    <section className="stack">
      <Heading isNext>{title}</Heading>
      {lead && <p className="quiet">{lead}</p>}
      {children}
    </section>
  );
}

/** The keyboard goes on here when what it was at has made way for the next step. */
function Heading({ isNext, children }: { isNext: boolean; children: string }): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (isNext) heading.current?.focus();
  }, [isNext]);
  return <h2 ref={heading} tabIndex={-1}>{children}</h2>;
}

function Belongings({ merged }: { merged: Merged }): ReactNode {
  const t = useTexts();
  const some = KINDS.filter((kind) => merged[kind] > 0);
  if (!some.length) return <p>{t.merge.nothing}</p>;
  return (
    <dl className="facts">
      {some.map((kind) => (
        <Fragment key={kind}>
          <dt>{t.merge.kinds[kind]}</dt>
          <dd>{merged[kind]}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
