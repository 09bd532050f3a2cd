// What went wrong with the whole page, and the button that loads it once more.
import type { ReactNode } from 'react';
import { useTexts } from '../texts/texts.tsx';
import { Notice } from './notice.tsx';
import { Page } from './page.tsx';

export function Failure({ children }: { children: ReactNode }): ReactNode {
  const t = useTexts();
  return (
    <Page title={t.failed} narrow>
      <div role="alert">
        <Notice kind="bad">{children}</Notice>
      </div>
      <button type="button" className="button" onClick={() => location.reload()}>
        {t.tryAgain}
      </button>
    </Page>
  );
}
