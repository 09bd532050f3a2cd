// The footer: where a developer goes on from here.
import type { ReactNode } from 'react';
import { config } from '../config.ts';
import { useSession } from '../gateway.tsx';
import { useTexts } from '../texts/texts.tsx';

export function Footer(): ReactNode {
  const t = useTexts();
  const { sessionId } = useSession();
  return (
    <footer className="footer">
      <div className="wide">
        <span>{t.footer.example}</span>
        <a href={`${config.base}/dev/mail`}>{t.footer.mailbox}</a>
        <a href={`${config.base}/graphql`}>GraphiQL</a>
        <a href={`${config.base}/dev`}>{t.footer.developers}</a>
        {sessionId && (
          <span>
            {t.footer.session} <code data-testid="session">{sessionId}</code>
          </span>
        )}
      </div>
    </footer>
  );
}
