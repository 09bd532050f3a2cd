// Ada, who has just signed up and logged in, for the programs of the tests.
import { setTimeout } from "node:timers/promises";
import { CLIENT_ID, GATEWAY, check } from "./gateway.js";
import type { Tokens } from "./tokens.js";

const EXPIRED_AFTER = 1000 * Number(process.env["ACCESS_TOKEN_SECONDS"]) + 100;
const ADA = { email: "ada@example.com", password: "violet-harbour-42" };
const ADDRESS = { contactName: "Ada", street: "Linden", city: "Berlin", country: "DE", tags: ["TAG-3"] };

/** Returns Ada's tokens in a session that was begun by nobody's library. */
export async function logInAda(): Promise<Tokens> {
  const begun = await post("anonymousLogin", "AnonymousLoginInput", { clientId: CLIENT_ID });
  await post("signup", "SignupInput", { ...ADA, customerAddress: ADDRESS }, begun, "customerId");
  return post("login", "LoginInput", ADA, begun);
}

/** Sleeps until an access token of now has expired. */
export async function sleepUntilExpired(): Promise<void> {
  await setTimeout(EXPIRED_AFTER);
}

async function post(
  field: string,
  type: string,
  input: object,
  tokens?: Tokens,
  selection = "tokens { accessToken refreshToken }",
): Promise<Tokens> {
  const query = `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} userErrors { code field } } }`;
  const response = await fetch(GATEWAY, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(tokens && { Authorization: `Bearer ${tokens.accessToken}` }) },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const answer = (await response.json()) as { data?: Record<string, { tokens: Tokens; userErrors: unknown[] }> };
  const payload = answer.data?.[field];
  check(payload?.userErrors.length === 0, JSON.stringify(answer));
  return payload.tokens;
}
