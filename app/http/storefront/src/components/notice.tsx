// A sentence that stands out: something went well, or wrong, or is worth knowing.
import type { ReactNode } from 'react';

export function Notice({ kind = '', children }: { kind?: '' | 'good' | 'bad'; children: ReactNode }): ReactNode {
  return <div className={`notice ${kind}`}>{children}</div>;
}
