// What a client is made of: the endpoint, the mode, and the parts that a platform may bring along.

/**
 * Where sessions are kept. A page needs none: it has IndexedDB, which its tabs share. An app gives the Keychain or the
 * Keystore, a server the cookies of one request. What `get` returns is what `set` was given; undefined deletes it.
 */
export interface Storage {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string | undefined): Promise<void>;
}

/** Runs one piece of work at a time: Web Locks between the tabs of a browser, a queue anywhere else. */
export type Lock = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** The options of `createClient`. */
export interface ClientOptions {
  /** The endpoint: `https://accounts.shop.example/graphql`. */
  url: string;
  /** The id of the storefront client, from the tenants file: `shop-web`. It says which shop this is. */
  clientId: string;
  /** The id of the site, from the tenants file: `main`. Left out: the first site of the shop. */
  site?: string;
  /**
   * Where the refresh token is. `token`, the default: in `storage`. `cookie`: in a cookie that no script can read, for
   * clients with `refresh_cookie = true`; the access token is then in memory.
   */
  mode?: "token" | "cookie";
  /** Where the session is kept: IndexedDB in a page, memory anywhere else. */
  storage?: Storage;
  /** What makes renewals come one after the other: Web Locks in a page, a queue anywhere else. */
  lock?: Lock;
  /** Headers of every call, for example the `Storefront-Secret` and `Buyer-IP` of a server that renders. */
  headers?: () => Record<string, string>;
  /**
   * False where new tokens cannot be kept, for example while a server renders a page: the client then neither begins
   * nor refreshes a session, and a call rejects with `Unauthenticated` instead.
   */
  renew?: boolean;
  /** Milliseconds until a try counts as lost. 15,000 if left out. */
  timeout?: number;
  /** How often a call that may be repeated is sent at most. 4 if left out. */
  tries?: number;
  /** Turns a parsed document into text: `print` of `graphql`. Not needed for documents that are text. */
  print?: (document: never) => string;
  /** What sends a request. The platform's `fetch` if left out. */
  fetch?: typeof globalThis.fetch;
}
