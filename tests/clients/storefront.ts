import { Client, type Operation, fetchExchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { AnonymousLoginDocument, RefreshDocument } from "./generated/graphql.js";

/** Where the tokens are. After `login`, `socialLogin` and `changePassword` put the new ones there yourself. */
export interface Session {
  tokens: { accessToken: string; refreshToken: string | null } | null;
}

/** Begins without being asked, and refreshes once, however many answers say together that the token has expired. */
export function storefrontClient(url: string, clientId: string, session: Session): Client {
  const auth = authExchange(async (utils) => {
    let refused: string | undefined;

    async function begin(): Promise<void> {
      const { data, error } = await utils.mutate(AnonymousLoginDocument, { input: { clientId } });
      if (error) throw error;
      session.tokens = data?.anonymousLogin.tokens ?? null;
    }

    async function refresh(refreshToken: string): Promise<void> {
      const { data, error } = await utils.mutate(RefreshDocument, { input: { refreshToken } });
      if (error) throw error; // no answer: the same refresh token may be sent again
      if (data?.refresh.tokens) session.tokens = data.refresh.tokens;
      else await begin(); // the session has ended: show the person that nobody is logged in
    }

    if (!session.tokens) await begin();
    return {
      addAuthToOperation: (operation) =>
        session.tokens
          ? utils.appendHeaders(operation, { Authorization: `Bearer ${session.tokens.accessToken}` })
          : operation,
      didAuthError(error, operation) {
        const unauthenticated = error.graphQLErrors.some((each) => each.extensions["code"] === "UNAUTHENTICATED");
        if (unauthenticated) refused = sentToken(operation);
        return unauthenticated;
      },
      async refreshAuth() {
        if (refused !== session.tokens?.accessToken) return; // an answer that came late: it is done already
        if (session.tokens?.refreshToken) await refresh(session.tokens.refreshToken);
        else await begin();
      },
    };
  });
  return new Client({
    url,
    preferGetMethod: false, // what people type does not belong into addresses, which end up in logs
    exchanges: [auth, fetchExchange],
  });
}

function sentToken(operation: Operation): string | undefined {
  const { fetchOptions } = operation.context;
  const headers = new Headers((typeof fetchOptions === "function" ? fetchOptions() : fetchOptions)?.headers);
  return headers.get("Authorization")?.replace("Bearer ", "");
}
