// Says that a mail is on its way, and where it is in development.
import type { ReactNode } from 'react';
import { config } from '../config.ts';
import { useTexts } from '../texts/texts.tsx';
import { Notice } from './notice.tsx';

export function MailboxHint({ children }: { children: ReactNode }): ReactNode {
  const t = useTexts();
  return (
    <Notice kind="good">
      <p>{children}</p>
      <p>
        <a href={`${config.base}/dev/mail`} target="_blank" rel="noreferrer">{t.mailbox.open}</a>
      </p>
    </Notice>
  );
}
