// Ada, who signs up and logs in, for the programs of the tests.
import { setTimeout } from "node:timers/promises";
import { type Client, type UserError, checked, createClient } from "customer-gateway-client";
import { print } from "graphql";
import { CLIENT_ID, GATEWAY, check } from "./gateway.js";

const EXPIRED_AFTER = 1000 * Number(process.env["ACCESS_TOKEN_SECONDS"]) + 100;
const ADDRESS = { contactName: "Ada", street: "Linden", city: "Berlin", country: "DE", tags: ["TAG-3"] };
const SIGNUP = `mutation Signup($input: SignupInput!) {
  signup(input: $input) { customerId userErrors { code field message } }
}`;

export const ADA = { email: "ada@example.com", password: "violet-harbour-42" };

/** Returns a client of the gateway, whose session is in memory. */
export function newClient(): Client {
  return createClient({ url: GATEWAY, clientId: CLIENT_ID, print });
}

/** Makes Ada, or somebody else, a customer. */
export async function signUp(client: Client, who: { email: string; password: string } = ADA): Promise<void> {
  const { signup } = await client.request<{ signup: { userErrors: UserError[] } }>(SIGNUP, {
    input: { ...who, customerAddress: ADDRESS },
  });
  checked(signup);
}

/** Makes Ada a customer, and logs her in. */
export async function logInAda(client: Client): Promise<void> {
  await signUp(client);
  const { state } = await client.login(ADA);
  check(state === "done", state);
}

/** Sleeps until an access token of now has expired. */
export async function sleepUntilExpired(): Promise<void> {
  await setTimeout(EXPIRED_AFTER);
}
