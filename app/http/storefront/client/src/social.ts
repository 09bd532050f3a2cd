// Social login: begun on one page and finished on another one, with what has to be kept in between.
import type { Ask } from "./client.js";
import { checked, type UserError } from "./errors.js";
import { type LoginResult, type Logins, type Outcome, type SocialLink, isWorthAnotherTry } from "./login.js";
import { base64Url } from "./passkeys.js";
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

export function socialOf(ask: Ask, { settle, withDevice }: Logins, { keep, kept }: Sessions) {
  // A page may call twice what works once, as React does in its strict mode: both calls get the one answer.
  const finished = new Map<string, Promise<SocialResult>>();
  // Of this tab alone. An app has its storage, which outlives its process.
  const place = typeof sessionStorage === "undefined" ? undefined : webStorage(sessionStorage);

  async function finish(address: URLSearchParams, password: string | undefined): Promise<SocialResult> {
    const state = address.get("state");
    const started = await kept<Started>(`social ${state}`, place);
    if (!started) return { state: "refused", errors: [UNKNOWN] };
    const reason = address.get("error");
    const { purpose, ...given } = started;
    const input = { ...given, state, code: address.get("code"), iss: address.get("iss") };
    const result: SocialResult = reason ? { state: "canceled", reason } : await sent(purpose, input, password);
    await keep(`social ${state}`, undefined, place); // it works once; without an answer it may be sent again
    return result;
  }

  async function sent(purpose: string, input: object, password: string | undefined): Promise<SocialResult> {
    if (purpose === "login") return settle(await ask<Outcome>("socialLogin", await withDevice(input)));
    const [field, state, given] =
      purpose === "link"
        ? (["linkSocialAccount", "linked", { ...input, password }] as const)
        : (["reauthenticate", "proved", { social: input }] as const);
    const { userErrors: errors } = await ask<{ userErrors: UserError[] }>(field, given);
    return errors.length > 0 ? { state: "refused", errors } : { state };
  }

  return {
    /**
     * Returns the address to send the person to; what is needed when they come back is kept. Rejects with `UserErrors`,
     * for example `PROVIDER_UNKNOWN`.
     */
    async beginSocialLogin(provider: string, options: SocialOptions): Promise<string> {
      const { redirectUri, purpose = "login", parameters = {} } = options;
      const codeVerifier = base64Url(crypto.getRandomValues(new Uint8Array(32)).buffer);
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier));
      const { authorizationUrl, state } = checked(
        await ask<{ authorizationUrl: string; state: string; userErrors: UserError[] }>("beginSocialLogin", {
          ...{ provider, redirectUri, codeChallenge: base64Url(digest), reauthenticate: purpose === "reauthenticate" },
          parameters: Object.entries(parameters).map(([name, value]) => ({ name, value })),
        }),
      );
      await keep(`social ${state}`, { provider, redirectUri, codeVerifier, purpose } satisfies Started, place);
      return authorizationUrl;
    },

    /**
     * Finishes what was begun, on the page that the provider sends the person back to; `address` is that of the page, if
     * it is left out. `password` links an account though the login is more than ten minutes ago.
     */
    finishSocialLogin(address: string = location.href, { password }: { password?: string } = {}): Promise<SocialResult> {
      const result = finished.get(address) ?? finish(new URL(address).searchParams, password);
      finished.set(address, result);
      result.catch(() => finished.delete(address));
      return result;
    },

    /** Proves, by the password or the mailed code, whose account it is that the social account is to be linked to. */
    async confirmSocialLink(link: SocialLink, proof: { password: string } | { code: string }): Promise<LoginResult> {
      const outcome = await ask<Outcome>("confirmSocialLink", await withDevice({ ...proof, ticket: link.ticket }));
      const { userErrors: errors } = outcome;
      return isWorthAnotherTry(errors) ? { state: "link", link, errors } : settle(outcome);
    },
  };
}

const UNKNOWN: UserError = {
  code: "TOKEN_INVALID",
  field: ["state"],
  message: "This answer belongs to another login: begin again.",
};
