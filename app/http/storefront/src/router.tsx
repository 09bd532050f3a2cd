// Which page the address names, and how to go to another one without loading.
import { type AnchorHTMLAttributes, type ReactNode, createContext, use, useEffect, useState } from 'react';
import { config } from './config.ts';
import pages from './pages.json' with { type: 'json' };

export interface Place {
  /** The name of the page; "" is the home page. */
  page: string;
  query: URLSearchParams;
}

const Here = createContext<Place>({ page: '', query: new URLSearchParams() });
const GOING = 'storefront:going';

export const usePlace = (): Place => use(Here);

/** Return the address of a page of this shop. */
export const addressOf = (page: string): string => `${config.home}/${page}`;

/** Go to a page; what has a query keeps it. */
export function go(page: string, { replace = false } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', addressOf(page));
  dispatchEvent(new Event(GOING));
}

export function Router({ children }: { children: ReactNode }): ReactNode {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const update = (): void => setPlace(read());
    const events = ['popstate', GOING];
    for (const event of events) addEventListener(event, update);
    return () => {
      for (const event of events) removeEventListener(event, update);
    };
  }, []);
  return <Here value={place}>{children}</Here>;
}

interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> {
  to: string;
}

export function Link({ to, ...rest }: LinkProps): ReactNode {
  const isHere = usePlace().page === to;
  return (
    <a
      aria-current={isHere ? 'page' : undefined}
      {...rest}
      href={addressOf(to)}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        rest.onClick?.(event);
        go(to);
      }}
    />
  );
}

/** Return the name of the page that the address names; "" is the home page. */
export function pageHere(): string {
  const page = location.pathname.slice(config.home.length).replace(/^\/|\/$/g, '');
  return pages.includes(page) ? page : '';
}

function read(): Place {
  return { page: pageHere(), query: new URLSearchParams(location.search) };
}
