import { type Server, createServer } from "node:http";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

/** The claims of a saas token that a basket needs. */
export interface Claims {
  kind: "ANONYMOUS" | "CUSTOMER" | "ON_BEHALF";
  sid: string; // the basket hangs on it; it stays from guest to customer
  scope: string;
  customer_number?: string;
  act?: { sub: string };
}

/** Returns what reads saas tokens of this shop. It throws one of jose's errors for all others. */
export function saasTokenReader(gateway: string, shop: string): (token: string) => Promise<Claims> {
  // Keeps the keys for ten minutes, and reads them again when a token names one that it does not know.
  const keys = createRemoteJWKSet(new URL(`${gateway}/.well-known/jwks.json`));
  return async (token) => {
    const verified = await jwtVerify<Claims>(token, keys, {
      algorithms: ["ES256"],
      audience: shop, // the shop's id: a token of another shop is refused
      issuer: gateway, // PUBLIC_URL
      requiredClaims: ["exp", "sub", "sid", "scope"],
    });
    return verified.payload;
  };
}

/** Tells whether the session may do this; compares whole words, `scope` is no text to search in. */
export function may(claims: Claims, word: string): boolean {
  return claims.scope.split(" ").includes(word);
}

/** Returns whom the service deals with. */
export function who(claims: Claims): string {
  if (claims.kind === "ANONYMOUS") return `guest ${claims.sid}`;
  const customer = `customer ${claims.customer_number}`;
  return claims.act ? `${claims.act.sub} for ${customer}` : customer;
}

/** A service that says who calls: 401 where the token is not good, 503 where the keys cannot be read. */
export function basketService(gateway: string, shop: string): Server {
  const read = saasTokenReader(gateway, shop);
  return createServer(async (request, response) => {
    try {
      const claims = await read(request.headers.authorization?.replace(/^Bearer /i, "") ?? "");
      response.end(`${who(claims)} ${may(claims, "addresses.write") ? "may" : "may not"} save addresses`);
    } catch (error) {
      if (error instanceof errors.JOSEError && !ABOUT_KEYS.has(error.code)) {
        response.writeHead(401, { "WWW-Authenticate": 'Bearer error="invalid_token"' }).end(error.code);
      } else {
        response.writeHead(503, { "Retry-After": "1" }).end("The keys cannot be read.");
      }
    }
  });
}

const ABOUT_KEYS = new Set(["ERR_JOSE_GENERIC", "ERR_JWKS_INVALID", "ERR_JWKS_TIMEOUT"]);
