import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { shopCache } from "./cache.js";
import type { TokenKeeper } from "./tokens.js";

declare module "@apollo/client" {
  interface DefaultContext {
    token?: string; // the one that was sent
    refused?: string; // the one that was not taken
  }
}

/** Sends the hash first, and the token with everything; an operation whose token has expired is sent once more. */
export function apolloClient(url: string, keeper: TokenKeeper): ApolloClient {
  const again = new ErrorLink(({ error, operation, forward }) => {
    const { token, refused } = operation.getContext();
    if (!isUnauthenticated(error) || token === undefined || refused !== undefined) return;
    operation.setContext({ refused: token });
    return forward(operation);
  });
  const auth = new SetContextLink(async ({ headers, refused }) => {
    const token = await keeper.accessToken(refused);
    return { token, headers: { ...headers, Authorization: `Bearer ${token}` } };
  });
  // By POST: what people type does not belong into addresses, which end up in logs.
  const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: false });
  return new ApolloClient({
    cache: shopCache(),
    link: ApolloLink.from([again, auth, persisted, new HttpLink({ uri: url })]),
  });
}

function isUnauthenticated(error: unknown): boolean {
  return (
    CombinedGraphQLErrors.is(error) && error.errors.some((each) => each.extensions?.["code"] === "UNAUTHENTICATED")
  );
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
