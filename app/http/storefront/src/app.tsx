// The whole shop: the header, the page that the address names, the operations that it has sent.
import { type ComponentType, type ReactNode, Suspense, lazy, useEffect } from 'react';
import { Boundary } from './components/boundary.tsx';
import { Footer } from './components/footer.tsx';
import { Header } from './components/header.tsx';
import { Operations } from './components/operations.tsx';
import { Notice } from './components/notice.tsx';
import { GatewayProvider, useSession } from './gateway.tsx';
import { ProofProvider } from './proof.tsx';
import { forget } from './record.ts';
import { Router, usePlace } from './router.tsx';
import { Speaker, useTexts } from './texts/texts.tsx';

// Each page is loaded when it is opened; their files have the names of their addresses.
const FILES = import.meta.glob<{ default: ComponentType }>('./pages/*.tsx');
const PAGES = Object.fromEntries(
  Object.entries(FILES).map(([file, load]) => [file.replace(/^.*\/|\.tsx$/g, ''), lazy(load)]),
);

/** Begin to load a page while something else is loaded. */
export const preload = (page: string): unknown => FILES[`./pages/${page || 'home'}.tsx`]?.();

export function App(): ReactNode {
  return (
    <Speaker>
      <Router>
        <GatewayProvider>
          <ProofProvider>
            <Shop />
          </ProofProvider>
        </GatewayProvider>
      </Router>
    </Speaker>
  );
}

function Shop(): ReactNode {
  const t = useTexts();
  const { page } = usePlace();
  const { ended } = useSession();
  useEffect(() => forget, [page]);
  const Shown = PAGES[page || 'home'];
  return (
    <>
      <a className="skip" href="#content">{t.header.skip}</a>
      <Header />
      <main id="content" className="wide" tabIndex={-1}>
        {ended && (
          <div role="status">
            <Notice>{t.ended[ended]}</Notice>
          </div>
        )}
        <Boundary key={page}>
          <Suspense fallback={<p className="quiet" role="status">{t.loading}</p>}>{Shown && <Shown />}</Suspense>
        </Boundary>
        <Operations />
      </main>
      <Footer />
    </>
  );
}
