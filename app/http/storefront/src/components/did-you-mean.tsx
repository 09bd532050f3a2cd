// Asks whether another e-mail address was meant, and takes it over by one click.
import type { UserError } from 'customer-gateway-client';
import type { ReactNode } from 'react';
import { useTexts } from '../texts/texts.tsx';
import { Form } from './form.tsx';

interface DidYouMeanProps {
  /** The address that was probably meant, if the one that was given looks like a slip. */
  email: string | null | undefined;
  /** Do the same with that address. */
  run: (email: string) => Promise<readonly UserError[]>;
}

export function DidYouMean({ email, run }: DidYouMeanProps): ReactNode {
  const t = useTexts();
  if (!email) return null;
  return (
    <section className="card">
      <h2 className="wraps">{t.didYouMean.title(email)}</h2>
      <p className="quiet">{t.didYouMean.lead}</p>
      <Form submit={t.didYouMean.take} label={t.didYouMean.title(email)} run={() => run(email)} />
    </section>
  );
}
