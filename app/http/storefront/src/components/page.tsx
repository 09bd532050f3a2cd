// The frame of one page: its title, which the keyboard goes to when the page is opened, and its content.
import { type ReactNode, useEffect, useRef } from 'react';

interface PageProps {
  title: string;
  lead?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}

export function Page({ title, lead, narrow, children }: PageProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    // The first page is read from its beginning; whoever came by a link goes on at the new title.
    if (isLater) heading.current?.focus();
    isLater = true;
  }, []);
  return (
    <div className={`stack loose ${narrow ? 'narrow' : ''}`}>
      <header className="stack">
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {lead && <p className="quiet">{lead}</p>}
      </header>
      {children}
    </div>
  );
}

let isLater = false;
