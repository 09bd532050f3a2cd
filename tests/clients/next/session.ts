// The visitor's session: two cookies of the shop's own that no script can read, and one refresh for all who want one.
import { type Visitor, ask } from "./gateway";

/** Tokens as the gateway answers them. */
export interface Tokens {
  accessToken: string;
  expiresIn: number;
  refreshToken: string | null;
  refreshTokenExpiresIn: number | null;
}

export const TOKENS = "tokens { accessToken expiresIn refreshToken refreshTokenExpiresIn } userErrors { code message }";
const BEGIN = `mutation AnonymousLogin($input: AnonymousLoginInput!) { answer: anonymousLogin(input: $input) { ${TOKENS} } }`;
const REFRESH = `mutation Refresh($input: RefreshInput!) { answer: refresh(input: $input) { ${TOKENS} } }`;
// What says that the session is over. Anything else says that the same token may be sent again.
const OVER = new Set(["TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_REUSED"]);

const IS_HTTPS = process.env["SHOP_URL"]?.startsWith("https:") ?? false;
const PREFIX = IS_HTTPS ? "__Host-" : ""; // with it no other host of the domain can set the cookie
export const ACCESS = `${PREFIX}shop-access`;
export const REFRESH_COOKIE = `${PREFIX}shop-refresh`;

interface CookieOptions {
  httpOnly: true;
  secure: boolean;
  sameSite: "lax";
  path: "/";
  maxAge: number;
}

/** Sets the cookies of an answer. The access token's cookie is gone before the token has expired. */
export function keep(set: (name: string, value: string, options: CookieOptions) => unknown, tokens: Tokens): void {
  const options = { httpOnly: true, secure: IS_HTTPS, sameSite: "lax", path: "/" } as const;
  const accessSeconds = tokens.expiresIn > 60 ? tokens.expiresIn - 30 : tokens.expiresIn;
  set(ACCESS, tokens.accessToken, { ...options, maxAge: accessSeconds });
  const { refreshToken, refreshTokenExpiresIn } = tokens;
  if (refreshToken !== null) set(REFRESH_COOKIE, refreshToken, { ...options, maxAge: refreshTokenExpiresIn ?? 0 });
}

const flights = new Map<string, Promise<Tokens>>();

/**
 * Returns new tokens; a session that is over is followed by a guest's. Page loads that come with one refresh token
 * share one refresh, and so do those that were already on their way when it was answered.
 */
export function renew(visitor: Visitor, refreshToken: string | undefined): Promise<Tokens> {
  if (refreshToken === undefined) return begin(visitor);
  const shared = flights.get(refreshToken);
  if (shared) return shared;
  const flight = refresh(visitor, refreshToken);
  flights.set(refreshToken, flight);
  const forget = (): unknown => flights.delete(refreshToken);
  flight.then(({ expiresIn }) => setTimeout(forget, Math.min(20, expiresIn / 2) * 1000), forget);
  return flight;
}

async function begin(visitor: Visitor): Promise<Tokens> {
  const { answer } = await ask<Answer>(visitor, BEGIN, { input: { clientId: process.env["CLIENT_ID"] } });
  if (!answer.tokens) throw new Error(answer.userErrors[0]?.message);
  return answer.tokens;
}

async function refresh(visitor: Visitor, refreshToken: string): Promise<Tokens> {
  const { answer } = await ask<Answer>(visitor, REFRESH, { input: { refreshToken } });
  if (answer.tokens) return answer.tokens;
  if (answer.userErrors.some(({ code }) => OVER.has(code))) return begin(visitor);
  throw new Error(answer.userErrors[0]?.message);
}

interface Answer {
  answer: { tokens: Tokens | null; userErrors: { code: string; message: string }[] };
}
