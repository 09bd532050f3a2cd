// Records what this page has sent and what came back, without the secrets in it.

export interface Exchange {
  id: number;
  name: string;
  operation: string;
  variables: unknown;
  answer: unknown;
}

const MOST = 20;
const MASK = '••••••';
// The names of what nobody else may read: tokens, passwords, codes, and what passkeys and apps are set up with.
const SECRET = /token$|password$|secret$|ticket$|^(uri|credential|passkey|totp|recoveryCodes?|emailCode|phoneCode|codeVerifier|authorizationUrl|nonce)$/i;
// A code is one that was mailed where it is sent, and the name of an error where it comes back.
const SECRET_SENT = /^code$/;

let exchanges: readonly Exchange[] = [];
let count = 0;
const listeners = new Set<() => void>();

export const recorded = (): readonly Exchange[] => exchanges;

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Forget what the page before has sent. */
export function forget(): void {
  publish([]);
}

/** The platform's `fetch`, with a record of each GraphQL call. */
export const recordingFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (typeof init?.body === 'string') {
    const sent = JSON.parse(init.body) as { query?: string; variables?: unknown };
    void response
      .clone()
      .json()
      .catch(() => `HTTP ${response.status}`)
      .then((answer: unknown) => note(sent.query ?? '', sent.variables, answer));
  }
  return response;
};

function note(operation: string, variables: unknown, answer: unknown): void {
  const name = /(?:query|mutation)\s+(\w+)/.exec(operation)?.[1] ?? 'Operation';
  const exchange = { id: ++count, name, operation, variables: masked(variables, SECRET_SENT), answer: masked(answer) };
  publish([...exchanges, exchange].slice(-MOST));
}

function publish(next: readonly Exchange[]): void {
  exchanges = next;
  for (const listener of listeners) listener();
}

/** Return a copy in which every secret is dots, and every field whose name `also` knows; null and numbers stay. */
export function masked(value: unknown, also = /^$/, name = ''): unknown {
  const isSecret = name !== '' && (SECRET.test(name) || also.test(name));
  if (Array.isArray(value)) return value.map((item) => masked(item, also, name));
  if (typeof value === 'object' && value !== null) {
    if (isSecret) return MASK;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item, also, key)]));
  }
  return typeof value === 'string' && isSecret ? MASK : value;
}
