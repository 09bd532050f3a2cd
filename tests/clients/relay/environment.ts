import {
  Environment,
  type GraphQLResponse,
  type GraphQLSingularResponse,
  Network,
  RecordSource,
  type RequestParameters,
  Store,
  type Variables,
} from "relay-runtime";
import type { TokenKeeper } from "../tokens.js";

/** Sends the token with everything; an operation whose token has expired is sent once more. */
export function relayEnvironment(url: string, keeper: TokenKeeper): Environment {
  async function execute(operation: RequestParameters, variables: Variables): Promise<GraphQLResponse> {
    const token = await keeper.accessToken();
    const answer = await post(url, token, operation, variables);
    if (!isUnauthenticated(answer)) return answer;
    return post(url, await keeper.accessToken(token), operation, variables);
  }

  return new Environment({ network: Network.create(execute), store: new Store(new RecordSource()) });
}

async function post(
  url: string,
  token: string,
  operation: RequestParameters,
  variables: Variables,
): Promise<GraphQLSingularResponse> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json",
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query: operation.text, operationName: operation.name, variables }),
  });
  return (await response.json()) as GraphQLSingularResponse;
}

function isUnauthenticated(answer: GraphQLSingularResponse): boolean {
  const errors = "errors" in answer ? (answer.errors ?? []) : [];
  return errors.some((each) => (each as { extensions?: { code?: string } }).extensions?.code === "UNAUTHENTICATED");
}
