import type { Client } from "@urql/core";
import { BeginSocialLoginDocument, SocialLoginDocument } from "./generated/graphql.js";
import type { Session } from "./storefront.js";

/** What has to outlive the visit at the provider: a page keeps it in sessionStorage, an app on its disk. */
export interface Started {
  provider: string;
  redirectUri: string;
  codeVerifier: string;
  state: string;
}

/** Returns where to send the person, and what to keep meanwhile. */
export async function beginSocialLogin(
  client: Client,
  provider: string,
  redirectUri: string,
): Promise<[address: string, started: Started]> {
  const codeVerifier = base64Url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(codeVerifier));
  const codeChallenge = base64Url(new Uint8Array(digest));
  const input = { provider, redirectUri, codeChallenge };
  const { data, error } = await client.mutation(BeginSocialLoginDocument, { input });
  const begun = data?.beginSocialLogin;
  if (!begun?.authorizationUrl || !begun.state) throw error ?? new Error(begun?.userErrors[0]?.message);
  return [begun.authorizationUrl, { provider, redirectUri, codeVerifier, state: begun.state }];
}

/** Takes the address that the person came back to; in an app, the one that its custom scheme was opened with. */
export async function finishSocialLogin(
  client: Client,
  session: Session,
  started: Started,
  address: string,
): Promise<void> {
  const answer = new URL(address).searchParams;
  const { state, ...kept } = started;
  if (answer.get("state") !== state) throw new Error("This answer belongs to another login.");
  const input = { ...kept, state, code: answer.get("code") ?? "", iss: answer.get("iss") };
  const { data, error } = await client.mutation(SocialLoginDocument, { input });
  if (!data?.socialLogin.tokens) throw error ?? new Error(data?.socialLogin.userErrors[0]?.message);
  session.tokens = data.socialLogin.tokens;
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
