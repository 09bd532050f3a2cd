import type { Client as Gateway } from "customer-gateway-client";
import {
  Environment,
  type GraphQLResponse,
  Network,
  RecordSource,
  type RequestParameters,
  Store,
  type Variables,
} from "relay-runtime";

/** Relay in the session that the gateway's client keeps. */
export function relayEnvironment(url: string, gateway: Gateway): Environment {
  async function execute({ text, name }: RequestParameters, variables: Variables): Promise<GraphQLResponse> {
    const body = JSON.stringify({ query: text, operationName: name, variables });
    const response = await gateway.fetch(url, { method: "POST", body });
    return (await response.json()) as GraphQLResponse;
  }

  return new Environment({ network: Network.create(execute), store: new Store(new RecordSource()) });
}
