// The session of a client: begins without being asked, refreshes once for all, and tells who is here in every tab.
import { type GraphQLAnswer, NoAnswer, Unauthenticated, UserErrors, type UserError, errorOf } from "./errors.js";
import { type Field, textOf } from "./operations.js";
import type { ClientOptions, Lock } from "./options.js";
import { browserStorage, memoryStorage } from "./storage.js";
import { type Send, parsed } from "./transport.js";

/** Tokens as the gateway answers them, as far as a client has to know them. */
export interface TokenSet {
  accessToken: string;
  /** Seconds until the access token expires. */
  expiresIn: number;
  /** Null on behalf of a customer, and in cookie mode. */
  refreshToken: string | null;
  sessionId?: string;
  initialPassword?: boolean;
  deviceToken?: string | null;
}

/** Who is here. The id stays from guest to customer, so a basket hangs on it. */
export interface Session {
  id: string;
  kind: "guest" | "customer" | "onBehalf";
  /** For other libraries that call the gateway. Ask for it before each call: it changes. */
  accessToken: string;
  /** True: nothing works but `me`, `changePassword` and `logout`. */
  initialPassword: boolean;
}

/** Why a session has ended. `TOKEN_REUSED`: somebody else has used a copy of its token. */
export type EndReason = "LOGGED_OUT" | "TOKEN_REUSED" | "TOKEN_EXPIRED" | "TOKEN_INVALID";

/** What `on` tells, in every tab. */
export interface Events {
  /** Another person is here, or another session has begun: forget what was cached, and ask again. Not for a refresh. */
  session: Omit<Session, "accessToken">;
  /** The session of a customer has ended: say so. The next call goes on as a guest. */
  sessionEnded: { reason: EndReason };
}

/** A session as it is kept. */
export type Kept = Session & { refreshToken: string | null };

/** Keeps one session. */
export type Sessions = ReturnType<typeof sessionsOf>;

const KINDS: Record<string, Session["kind"]> = { cg_aa: "guest", cg_ob: "onBehalf" };
// What says that a session is over. Anything else says that the same token may be sent again.
const OVER = ["TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_REUSED"];
// What comes of a refresh, and when it was sent.
type Got = (TokenSet | UserError) & { sentAt: number };
// Refreshes of this program, by the token they trade: a server that renders makes a client for each request.
const flights = new Map<string, Promise<Got>>();

export function sessionsOf(options: ClientOptions, send: Send) {
  const { url, clientId, site, mode, renew } = options;
  const name = `customer-gateway ${clientId} ${url}`;
  const isCookie = mode === "cookie";
  const isPage = typeof window !== "undefined";
  const storage = options.storage ?? (isPage ? browserStorage() : memoryStorage());
  const lock = options.lock ?? (isPage && navigator.locks ? webLock(name) : queue());
  const events = new EventTarget();
  const channel = isPage ? new BroadcastChannel(name) : undefined;
  let shown: { id: string; kind: string } | undefined; // who was told last
  let memory: Kept | undefined; // the session in cookie mode
  let expiry: readonly [token: string, at: number] = ["", 0]; // of a token that this tab has got, by a clock that nobody sets

  if (channel)
    channel.onmessage = ({ data: [event, detail] }) => {
      if (event === "session" && isShown(detail)) return;
      memory = undefined; // the cookie is another one by now
      shown = event === "session" ? detail : undefined;
      tell(event, detail);
    };

  const isShown = ({ id, kind }: { id: string; kind: string }): boolean => shown?.id === id && shown.kind === kind;

  function tell(event: string, detail: object): void {
    events.dispatchEvent(new CustomEvent(event, { detail }));
  }

  function announce<Event extends keyof Events>(event: Event, detail: Events[Event]): void {
    channel?.postMessage([event, detail]);
    tell(event, detail);
  }

  /** Returns what this client has kept: `session`, `device`, `step` … */
  const kept = async <Value>(key: string, where = storage): Promise<Value | undefined> =>
    parsed<Value>((await where.get(`${name} ${key}`)) ?? "");

  const keep = (key: string, value?: unknown, where = storage): Promise<void> =>
    where.set(`${name} ${key}`, value ? JSON.stringify(value) : undefined);

  const read = async (): Promise<Kept | undefined> => (isCookie ? memory : kept("session"));

  const write = async (session: Kept | undefined): Promise<unknown> =>
    isCookie ? (memory = session) : keep("session", session);

  function isGood(session: Kept | undefined, refused: string | undefined): session is Kept {
    const token = session?.accessToken;
    return !!token && token !== refused && !(token === expiry[0] && performance.now() > expiry[1]);
  }

  /**
   * Returns the session, refreshed if need be; `refused` is an access token that was not taken. Where there is none any
   * more, another one begins, unless only one that exists is `wanted`.
   */
  async function current(refused?: string): Promise<Kept>;
  async function current(refused: string | undefined, wanted: "existing"): Promise<Kept | undefined>;
  async function current(refused?: string, wanted?: "existing"): Promise<Kept | undefined> {
    const session = await read();
    if (isGood(session, refused)) return session;
    if (renew === false) throw new Unauthenticated([{ message: "renew is false", extensions: { code: "UNAUTHENTICATED" } }]);
    return lock(async () => {
      const now = await read();
      if (isGood(now, refused)) return now; // another call, or another tab, has done it meanwhile
      return (await refresh(now)) ?? (wanted ? undefined : take(await ask("anonymousLogin", { clientId, site })));
    });
  }


  /** Returns undefined when the session is over, or there is none. */
  async function refresh(session: Kept | undefined): Promise<Kept | undefined> {
    const refreshToken = session?.refreshToken;
    if (!refreshToken && !isCookie) {
      if (session) await end("TOKEN_EXPIRED");
      return undefined;
    }
    const answer = await (refreshToken ? share(refreshToken) : ask("refresh", {}));
    if (!("code" in answer && OVER.includes(answer.code))) return take(answer);
    await end(answer.code as EndReason);
    return undefined;
  }

  /** Clients of one program that come with the same token share an answer, also a moment after it has come. */
  function share(refreshToken: string): Promise<Got> {
    let flight = flights.get(refreshToken);
    if (!flight) {
      flights.set(refreshToken, (flight = ask("refresh", { refreshToken })));
      const forget = (): unknown => flights.delete(refreshToken);
      flight.then((answer) => {
        const timer: unknown = setTimeout(forget, "code" in answer ? 0 : answer.expiresIn * 100);
        (timer as { unref?: () => void }).unref?.(); // a program of Node may end meanwhile
      }, forget);
    }
    return flight;
  }

  /** Sends one of the two calls that need no session. Both may be repeated: the grace of the gateway is for that. */
  async function ask(field: Field, input: object): Promise<Got> {
    const sentAt = performance.now();
    const { body } = await send(url, {
      method: "POST",
      headers: requestHeaders(options),
      body: JSON.stringify({ query: textOf(field), variables: { input } }),
      repeatable: true,
    });
    const payload = body?.data?.["answer"] as { tokens: TokenSet | null; userErrors: UserError[] } | null | undefined;
    const result = payload?.tokens ?? payload?.userErrors[0];
    if (!result) throw body ? errorOf(body) : new NoAnswer();
    return { ...result, sentAt };
  }

  /** Makes these tokens those of the session. */
  async function take(tokens: Got): Promise<Kept> {
    if ("code" in tokens) throw new UserErrors([tokens]);
    const { accessToken, refreshToken, expiresIn, deviceToken, sessionId, initialPassword, sentAt } = tokens;
    if (refreshToken === undefined || !expiresIn)
      throw new TypeError("Select accessToken, refreshToken and expiresIn of tokens.");
    const before = await read();
    const session: Kept = {
      id: sessionId ?? before?.id ?? "",
      kind: KINDS[accessToken.slice(0, 5)] ?? "customer",
      initialPassword: !!initialPassword,
      accessToken,
      refreshToken,
    };
    await write(session); // before anything uses the new tokens: the old ones are gone
    if (deviceToken) await keep("device", deviceToken);
    // From the sending on, so never later than the gateway thinks; the rest is for the way there.
    expiry = [accessToken, sentAt + expiresIn * 1000 - Math.min(5000, expiresIn * 100)];
    const { accessToken: _, refreshToken: __, ...who } = session;
    shown ??= before;
    if (!isShown(who)) announce("session", who);
    shown = who;
    return session;
  }

  /** Forgets the session. */
  async function end(reason: EndReason): Promise<void> {
    const session = await read();
    shown = undefined;
    await write(undefined);
    if (reason === "TOKEN_REUSED" || reason === "LOGGED_OUT" || (session && session.kind !== "guest"))
      announce("sessionEnded", { reason });
  }

  /** Takes the tokens that an answer has, whatever it answers. */
  async function adopt(answer: GraphQLAnswer | undefined, sentAt: number): Promise<void> {
    for (const payload of Object.values(answer?.data ?? {})) {
      const { tokens } = (payload ?? {}) as { tokens?: TokenSet };
      if (tokens?.accessToken) await lock(() => take({ ...tokens, sentAt }));
    }
  }

  /** Returns who is here, for the page: the refresh token stays in here. */
  async function session(): Promise<Session> {
    const { refreshToken: _, ...rest } = await current();
    return rest;
  }

  return { adopt, channel, current, end, events, isCookie, keep, kept, session };
}

/** The headers of every call. */
export function requestHeaders({ clientId, mode, headers }: ClientOptions): Record<string, string> {
  return {
    "Content-Type": "application/json",
    ...(mode === "cookie" && { "Gateway-Client": clientId }),
    ...headers?.(),
  };
}

function webLock(name: string): Lock {
  return (work) => navigator.locks.request(name, work) as ReturnType<typeof work>;
}

/** One after the other, in this program. */
function queue(): Lock {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}
