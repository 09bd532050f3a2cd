// The basket: how many things are in it, kept in this tab by the id of the session, which stays when somebody logs in.
import { useSyncExternalStore } from 'react';
import { keptByTab } from './kept.ts';

const CHANGED = 'storefront:basket';

export interface Basket {
  count: number;
  add: () => void;
}

export function useBasket(sessionId: string | null): Basket {
  const key = `storefront:basket:${sessionId ?? ''}`;
  const count = useSyncExternalStore(subscribe, () => Number(keptByTab.getItem(key) ?? 0));
  return {
    count,
    add: () => {
      keptByTab.setItem(key, String(count + 1));
      dispatchEvent(new Event(CHANGED));
    },
  };
}

function subscribe(listener: () => void): () => void {
  addEventListener(CHANGED, listener);
  return () => removeEventListener(CHANGED, listener);
}
