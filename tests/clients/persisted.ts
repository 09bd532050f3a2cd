// The same query twice, by urql's automatic persisted queries: prints every request that was sent, and the answers.
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { CLIENT_ID, GATEWAY, check, recordRequests } from "./gateway.js";
import { AnonymousLoginDocument, MeDocument } from "./generated/graphql.js";

const sent = recordRequests();
let token = "";
const client = new Client({
  url: GATEWAY,
  preferGetMethod: false,
  fetchOptions: (): RequestInit => (token ? { headers: { Authorization: `Bearer ${token}` } } : {}),
  exchanges: [persistedExchange({ preferGetForPersistedQueries: true, enableForMutation: true }), fetchExchange],
});
const begun = await client.mutation(AnonymousLoginDocument, { input: { clientId: CLIENT_ID } });
check(begun.data?.anonymousLogin.tokens, JSON.stringify(begun));
token = begun.data.anonymousLogin.tokens.accessToken;
const answers = [];
for (let count = 0; count < 2; count++) {
  const answer = await client.query(MeDocument, {}, { requestPolicy: "network-only" });
  answers.push(answer.data ?? String(answer.error));
}
console.log(JSON.stringify({ sent, answers }));
