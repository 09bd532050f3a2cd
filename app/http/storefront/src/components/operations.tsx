// The operations that this page has sent, folded away: what a developer wants to see, and a customer does not.
import { type ReactNode, useSyncExternalStore } from 'react';
import { recorded, subscribe } from '../record.ts';
import { useTexts } from '../texts/texts.tsx';

export function Operations(): ReactNode {
  const t = useTexts();
  const exchanges = useSyncExternalStore(subscribe, recorded);
  return (
    <details className="operations">
      <summary>{t.operations.title(exchanges.length)}</summary>
      <p className="small quiet">{t.operations.masked}</p>
      {exchanges.map(({ id, name, operation, variables, answer }) => (
        <section key={id}>
          <p className="name">{name}</p>
          <pre tabIndex={0} aria-label={`${name}: ${t.operations.sent}`}>
            {operation.trim()}
            {'\n\n'}
            {JSON.stringify(variables ?? {}, null, 2)}
          </pre>
          <pre tabIndex={0} aria-label={`${name}: ${t.operations.answer}`}>{JSON.stringify(answer, null, 2)}</pre>
        </section>
      ))}
    </details>
  );
}
