import { get, set } from "idb-keyval";
import { TokenKeeper, type Tokens, type TokenStore } from "./tokens.js";

const KEY = "gateway-tokens";

// IndexedDB: what one tab has written there the next one reads. With localStorage it may still read what was before.
const sharedByTabs: TokenStore = {
  read: async () => (await get<Tokens>(KEY)) ?? null,
  write: (tokens) => set(KEY, tokens),
};

/** The keeper of a page. One tab refreshes, the others wait and find its tokens; a tab that is closed lets go. */
export function tabTokens(url: string, clientId: string): TokenKeeper {
  return new TokenKeeper(url, clientId, sharedByTabs, (work) => navigator.locks.request(KEY, work));
}
