// Sends one request as often as it may be sent: until an answer has come, or the tries are used up.
import { type GraphQLAnswer, NoAnswer } from "./errors.js";
import type { ClientOptions } from "./options.js";

/** An answer that has arrived whole. `body` is undefined if it is none of the gateway's. */
export interface Arrived {
  text: string;
  body: GraphQLAnswer | undefined;
  status: number;
  headers: Headers;
}

/** What a request is, beside what `fetch` takes. `repeatable`: sent twice, it does the same as sent once. */
export interface Sending extends RequestInit {
  repeatable: boolean;
  timeout?: number | undefined;
}

/** Sends a request. Rejects with `NoAnswer`, or with the reason of its own signal. */
export type Send = (url: string, sending: Sending) => Promise<Arrived>;

// Seconds. Whoever has to wait longer than that is told, instead of looking at a page that does nothing.
const LONGEST_WAIT = 10;

export function transport({ tries = 4, timeout: patience = 15_000, mode, fetch: ownFetch }: ClientOptions): Send {
  return async (url, { timeout = patience, signal, repeatable, ...init }) => {
    for (let tried = 1; ; tried++) {
      let arrived: Arrived | undefined;
      let seconds = (0.1 + 0.2 * Math.random()) * 3 ** tried; // not all clients at once
      try {
        const response = await (ownFetch ?? fetch)(url, {
          ...init,
          ...(mode === "cookie" && { credentials: "include" }), // or the browser neither keeps the cookie nor sends it
          signal: either(AbortSignal.timeout(timeout), signal),
        });
        const { status, headers } = response;
        const text = await response.text(); // an answer that is cut off is lost too
        const body = parsed<GraphQLAnswer>(text);
        arrived = { text, body: body?.data || body?.errors ? body : undefined, status, headers };
        const busy = body?.errors?.find(({ extensions }) => extensions?.code === "SERVICE_BUSY")?.extensions;
        const mayComeYet = busy ? repeatable || busy["outcome"] === "NOT_DONE" : repeatable && BEHIND_PROXY.has(status);
        seconds = Number(busy?.["retryAfter"] ?? headers.get("Retry-After")) || seconds;
        if (!mayComeYet || seconds > LONGEST_WAIT || tried >= tries) return arrived;
      } catch (cause) {
        signal?.throwIfAborted();
        if (!repeatable || tried >= tries) throw new NoAnswer(cause);
      }
      await new Promise((resolve, reject) => {
        setTimeout(resolve, seconds * 1000);
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    }
  };
}

// Gateways on the way have answered in the place of ours: bad gateway, unavailable, timeout.
const BEHIND_PROXY = new Set([502, 503, 504]);

/** Returns what a text in JSON says, or undefined: it may be the page of a proxy. */
export function parsed<Value>(text: string): Value | undefined {
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}

/** Returns a signal that ends as soon as one of the two does. */
export function either(one: AbortSignal, other: AbortSignal | null | undefined): AbortSignal {
  return other ? AbortSignal.any([one, other]) : one;
}
