// The client: sends operations in the session of the person who is here, whatever becomes of the tokens meanwhile.
import { kindOf } from "./documents.js";
import { type GraphQLAnswer, NoAnswer, errorOf } from "./errors.js";
import { type LoginResult, type SocialLink, loginsOf } from "./login.js";
import { type Field, textOf } from "./operations.js";
import type { ClientOptions } from "./options.js";
import type { Passkey, PasskeyOptions, UsedPasskey } from "./passkeys.js";
import { type Events, requestHeaders, sessionsOf } from "./sessions.js";
import type { SocialOptions, SocialResult } from "./social.js";
import { type Arrived, transport } from "./transport.js";

/** A document that knows its types: that of graphql-codegen, or a text. The types are of `TypedDocumentNode`. */
export type TypedDocument<Data, Variables> = (string | object) & {
  __apiType?: (variables: Variables) => Data;
};

/** What one call may bring along. */
export interface RequestOptions {
  signal?: AbortSignal;
  /** Headers of this call, for example `Challenge-Response`. */
  headers?: Record<string, string>;
  /** Milliseconds until a try counts as lost. */
  timeout?: number;
  /**
   * For a call that must happen once though the page or the app is restarted: keep the key with the call. Left out, the
   * client makes one for each mutation, which holds for the tries of this call.
   */
  idempotencyKey?: string;
}

/** What `createClient` returns. */
export type Client = ReturnType<typeof createClient>;

/** Makes a client. One for each page or app, and one for each request on a server. */
export function createClient(options: ClientOptions) {
  const { url, renew, print = noPrint } = options;
  const send = transport(options);
  const sessions = sessionsOf(options, send);

  /** Sends a request with the token of the session; once more with another one if the first was not taken. */
  async function run(address: string, init: RequestInit, timeout?: number, token?: string): Promise<Arrived> {
    const headers = new Headers(requestHeaders(options));
    new Headers(init.headers).forEach((value, name) => headers.set(name, value));
    headers.set("Content-Type", "application/json"); // a Request says text/plain where its maker says nothing
    const isGet = init.method === "GET";
    const kind = isGet ? "query" : kindOf(String(init.body));
    if (kind === "mutation" && !headers.has(KEY)) headers.set(KEY, newKey());
    const repeatable = kind === "query" || headers.has(KEY);
    for (let refused: string | undefined; ; ) {
      const accessToken = token ?? (await sessions.current(refused)).accessToken;
      headers.set("Authorization", `Bearer ${accessToken}`);
      const sentAt = performance.now();
      const arrived = await send(address, { ...init, headers, repeatable, timeout });
      await sessions.adopt(arrived.body, sentAt);
      if (token || refused || renew === false || !isUnauthenticated(arrived.body)) return arrived;
      refused = accessToken;
    }
  }

  function sendText(query: string, variables: unknown, options: RequestOptions = {}, token?: string): Promise<Arrived> {
    const { headers, timeout, idempotencyKey, signal } = options;
    return run(
      url,
      {
        method: "POST",
        headers: { ...headers, ...(idempotencyKey && { [KEY]: idempotencyKey }) },
        body: JSON.stringify({ query, variables }),
        signal: signal ?? null,
      },
      timeout,
      token,
    );
  }

  /**
   * Runs one operation in the session, and returns its data.
   *
   * Begins the session if there is none, refreshes it if the token has expired, and repeats what may be repeated: a query,
   * and a mutation of one field, which has an `Idempotency-Key`. User errors are in the data: see `checked`. Tokens in
   * the data are those of the session from now on. Rejects with a `GatewayError`, with `NoAnswer`, or with the reason of
   * the signal.
   */
  async function request<Data = Record<string, unknown>, Variables = Record<string, unknown>>(
    document: TypedDocument<Data, Variables>,
    variables?: Variables,
    options?: RequestOptions,
  ): Promise<Data> {
    const query = typeof document === "object" && "kind" in document ? print(document as never) : String(document);
    const { body } = await sendText(query, variables, options);
    if (!body) throw new NoAnswer();
    if (body.errors) throw errorOf(body);
    return body.data as Data;
  }

  const ask: Ask = async (field, input, options) =>
    (await request<{ answer: never }>(textOf(field), { input }, options)).answer;
  const logins = loginsOf(ask, sessions);
  const parts = { ask, logins, sessions };
  // What few pages need is loaded by those that do.
  const passkeys = (): Promise<typeof import("./passkeys.js")> => import("./passkeys.js");
  const social = (): Promise<typeof import("./social.js")> => import("./social.js");

  return {
    request,

    /**
     * A `fetch` for Apollo Client, urql, Relay and others: sends what they send in the session, as `request` does, and
     * returns the answer. Calls of another address than the endpoint go out as they are, without a token.
     */
    async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
      const asked = new Request(input, init);
      if (asked.url.split("?")[0] !== new Request(url).url) return (options.fetch ?? fetch)(input, init);
      const { method, headers, signal } = asked;
      const body = (await asked.text()) || null;
      const { text, status, headers: answered } = await run(asked.url, { method, headers, signal, body });
      return new Response(text, { status, headers: answered });
    },

    /** Returns who is here, as far as the client knows; begins a session if there is none. */
    session: sessions.session,

    ...logins.calls,
    /**
     * Logs in with a passkey, or answers a step with one. `conditional`: call it as the login page opens, where a field
     * has `autocomplete="username webauthn"`; it returns undefined at once where the browser cannot do that. Another
     * ceremony ends the one that waits, which rejects with an `AbortError`.
     */
    async loginWithPasskey(
      options: PasskeyOptions & { rememberDevice?: boolean } = {},
    ): Promise<LoginResult | undefined> {
      const { canOffer, usePasskey } = await passkeys();
      if (options.conditional && !(await canOffer())) return undefined;
      const { ticket, passkey } = await usePasskey(ask, options);
      return logins.complete(ticket, { passkey, rememberDevice: !!options.rememberDevice }, options.step);
    },

    /**
     * Makes a passkey on this device for the customer, or, with a step without methods, for who is logging in. Rejects
     * with `UserErrors`, or as the browser does: `NotAllowedError` if the person did not want to.
     */
    async registerPasskey(options: PasskeyOptions & { name?: string } = {}): Promise<Passkey> {
      return (await passkeys()).registerPasskey(ask, options);
    },

    /** Has a passkey used, and returns the `ticket` and the `passkey` that `reauthenticate` takes. */
    async usePasskey(options: PasskeyOptions = {}): Promise<UsedPasskey> {
      return (await passkeys()).usePasskey(ask, options);
    },

    /**
     * Returns the address to send the person to; what is needed when they come back is kept. Rejects with `UserErrors`,
     * for example `PROVIDER_UNKNOWN`.
     */
    async beginSocialLogin(provider: string, options: SocialOptions): Promise<string> {
      return (await social()).beginSocialLogin(parts, provider, options);
    },

    /**
     * Finishes what was begun, on the page that the provider sends the person back to; `address` is that of the page, if
     * it is left out. `password` links an account though the login is more than ten minutes ago.
     */
    async finishSocialLogin(address?: string, options: { password?: string } = {}): Promise<SocialResult> {
      return (await social()).finishSocialLogin(parts, address ?? location.href, options.password);
    },

    /** Proves, by the password or the mailed code, whose account it is that the social account is to be linked to. */
    async confirmSocialLink(link: SocialLink, proof: { password: string } | { code: string }): Promise<LoginResult> {
      return (await social()).confirmSocialLink(parts, link, proof);
    },

    /**
     * Ends the session; `everywhere`: all sessions of the customer. Every tab hears `sessionEnded`. If the gateway does
     * not answer it rejects, and the session goes on.
     */
    async logout(input: { everywhere?: boolean } = {}): Promise<void> {
      for (let token: string | undefined; ; ) {
        const session = await sessions.current(token, "existing");
        if (!session) return; // it had ended before
        token = session.accessToken;
        const { body } = await sendText(textOf("logout"), { input }, {}, token);
        if (!body) throw new NoAnswer();
        if (!body.errors) return sessions.end("LOGGED_OUT");
        if (!isUnauthenticated(body)) throw errorOf(body);
      }
    },

    /** Calls the listener at each event, in every tab, and returns what takes it away again. */
    on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => void): () => void {
      const hear = (event: Event): void => listener((event as CustomEvent<Events[Name]>).detail);
      sessions.events.addEventListener(name, hear);
      return () => sessions.events.removeEventListener(name, hear);
    },

    /** Lets go of the other tabs. */
    close(): void {
      sessions.channel?.close();
    },
  };
}

/** Sends one of the client's own mutations, and returns its payload. */
export type Ask = <Payload>(field: Field, input: object, options?: RequestOptions) => Promise<Payload>;

const KEY = "Idempotency-Key";

function noPrint(): never {
  throw new TypeError("Give createClient the print of graphql.");
}

/** Tells whether the token was not taken, and nothing was done. */
function isUnauthenticated({ errors, data }: GraphQLAnswer = {}): boolean {
  const refused = errors?.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED") ?? false;
  return refused && Object.values(data ?? {}).every((value) => value === null);
}

/** Makes what nobody else makes, also on pages without https, where there is no `randomUUID`. */
function newKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
