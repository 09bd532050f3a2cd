import { ApolloClient, ApolloLink, HttpLink } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import type { Client as Gateway } from "customer-gateway-client";
import { shopCache } from "./cache.js";

/** Sends the hash first, in the session that the gateway's client keeps. */
export function apolloClient(url: string, gateway: Gateway): ApolloClient {
  // By POST: what people type does not belong into addresses, which end up in logs.
  const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: false });
  return new ApolloClient({
    cache: shopCache(),
    link: ApolloLink.from([persisted, new HttpLink({ uri: url, fetch: gateway.fetch })]),
  });
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
