import { TokenKeeper, type Tokens, type TokenStore } from "./tokens.js";

const KEY = "gateway-tokens";

const sharedByTabs: TokenStore = {
  async read() {
    const text = localStorage.getItem(KEY);
    return text === null ? null : (JSON.parse(text) as Tokens);
  },
  async write(tokens) {
    localStorage.setItem(KEY, JSON.stringify(tokens));
  },
};

/** The keeper of a page. One tab refreshes, the others wait and find its tokens; a tab that is closed lets go. */
export function tabTokens(url: string, clientId: string): TokenKeeper {
  return new TokenKeeper(url, clientId, sharedByTabs, (work) => navigator.locks.request(KEY, work));
}
