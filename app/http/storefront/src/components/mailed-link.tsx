// The page of a mailed link that wants one click: what it does, the button, and what came of it.
import { type ReactNode, useState } from 'react';
import type { UserError } from 'customer-gateway-client';
import { Link, usePlace } from '../router.tsx';
import { useTexts } from '../texts/texts.tsx';
import { Form } from './form.tsx';
import { Notice } from './notice.tsx';
import { Page } from './page.tsx';

interface Outcome {
  errors: readonly UserError[];
  /** What is said when it was done. */
  done: ReactNode;
}

interface MailedLinkProps {
  title: string;
  lead: ReactNode;
  submit: string;
  run: (token: string) => Promise<Outcome>;
}

export function MailedLink({ title, lead, submit, run }: MailedLinkProps): ReactNode {
  const t = useTexts();
  const token = usePlace().query.get('token') ?? '';
  const [done, setDone] = useState<ReactNode>(null);
  return (
    <Page title={title} lead={done ? undefined : lead} narrow>
      {done ? (
        <>
          <div role="status">
            <Notice kind="good">{done}</Notice>
          </div>
          <div className="row">
            <Link to="account" className="button">{t.header.account}</Link>
            <Link to="" className="button plain">{t.mailedLink.home}</Link>
          </div>
        </>
      ) : (
        <section className="card">
          <Form
            submit={submit}
            run={async () => {
              const { errors, done: said } = await run(token);
              if (!errors.length) setDone(said);
              return errors;
            }}
          />
        </section>
      )}
    </Page>
  );
}
