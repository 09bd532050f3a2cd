// Social login: begun on one page and finished on another one, with what has to be kept in between.
import { base64Url } from "./base64url.js";
import type { Ask } from "./client.js";
import { checked, type UserError } from "./errors.js";
import { type LoginResult, type Logins, type Outcome, type SocialLink, isWorthAnotherTry } from "./login.js";
import type { Sessions } from "./sessions.js";
import { webStorage } from "./storage.js";

/** How a social login is begun. */
export interface SocialOptions {
  /** Where the provider sends the person back to: one of the `redirect_uris` of the client. */
  redirectUri: string;
  /** `login`, the default; `link`: to the customer who is here; `reauthenticate`: to prove once more who it is. */
  purpose?: "login" | "link" | "reauthenticate";
  /** For the provider: `{ prompt: "select_account" }`. */
  parameters?: Record<string, string>;
}

/** As that of a login; `linked` and `proved` are the ends of the two other purposes. */
export type SocialResult =
  | LoginResult
  | { state: "linked" }
  | { state: "proved" }
  /** The provider has sent the person back without an answer: `access_denied` if they did not want to. */
  | { state: "canceled"; reason: string };

interface Started {
  provider: string;
  redirectUri: string;
  codeVerifier: string;
  purpose: NonNullable<SocialOptions["purpose"]>;
}

/** What social logins take of the client. */
export interface Parts {
  ask: Ask;
  logins: Logins;
  sessions: Sessions;
}

// A page may call twice what works once, as React does in its strict mode: both calls get the one answer.
const finished = new Map<string, Promise<SocialResult>>();
// Of this tab alone. An app has its storage, which outlives its process.
const place = typeof sessionStorage === "undefined" ? undefined : webStorage(sessionStorage);

export async function beginSocialLogin(
  { ask, sessions }: Parts,
  provider: string,
  { redirectUri, purpose = "login", parameters = {} }: SocialOptions,
): Promise<string> {
  const codeVerifier = base64Url(crypto.getRandomValues(new Uint8Array(32)).buffer);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier));
  const { authorizationUrl, state } = checked(
    await ask<{ authorizationUrl: string; state: string; userErrors: UserError[] }>("beginSocialLogin", {
      ...{ provider, redirectUri, codeChallenge: base64Url(digest), reauthenticate: purpose === "reauthenticate" },
      parameters: Object.entries(parameters).map(([name, value]) => ({ name, value })),
    }),
  );
  await sessions.keep(`social ${state}`, { provider, redirectUri, codeVerifier, purpose } satisfies Started, place);
  return authorizationUrl;
}

export function finishSocialLogin(parts: Parts, address: string, password: string | undefined): Promise<SocialResult> {
  const result = finished.get(address) ?? finish(parts, new URL(address).searchParams, password);
  finished.set(address, result);
  result.catch(() => finished.delete(address));
  return result;
}

async function finish(parts: Parts, address: URLSearchParams, password: string | undefined): Promise<SocialResult> {
  const { keep, kept } = parts.sessions;
  const state = address.get("state");
  const started = await kept<Started>(`social ${state}`, place);
  if (!started) return { state: "refused", errors: [UNKNOWN] };
  const reason = address.get("error");
  const { purpose, ...given } = started;
  const input = { ...given, state, code: address.get("code"), iss: address.get("iss") };
  const result: SocialResult = reason ? { state: "canceled", reason } : await send(parts, purpose, input, password);
  await keep(`social ${state}`, undefined, place); // it works once; without an answer it may be sent again
  return result;
}

async function send({ ask, logins }: Parts, purpose: string, input: object, password?: string): Promise<SocialResult> {
  if (purpose === "login") return logins.settle(await ask<Outcome>("socialLogin", await logins.withDevice(input)));
  const [field, state, given] =
    purpose === "link"
      ? (["linkSocialAccount", "linked", { ...input, password }] as const)
      : (["reauthenticate", "proved", { social: input }] as const);
  const { userErrors: errors } = await ask<{ userErrors: UserError[] }>(field, given);
  return errors.length > 0 ? { state: "refused", errors } : { state };
}

export async function confirmSocialLink({ ask, logins }: Parts, link: SocialLink, proof: object): Promise<LoginResult> {
  const input = await logins.withDevice({ ...proof, ticket: link.ticket });
  const outcome = await ask<Outcome>("confirmSocialLink", input);
  const { userErrors: errors } = outcome;
  return isWorthAnotherTry(errors) ? { state: "link", link, errors } : logins.settle(outcome);
}

const UNKNOWN: UserError = {
  code: "TOKEN_INVALID",
  field: ["state"],
  message: "This answer belongs to another login: begin again.",
};
