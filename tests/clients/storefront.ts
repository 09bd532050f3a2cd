import { Client, fetchExchange } from "@urql/core";
import type { Client as Gateway } from "customer-gateway-client";

/** urql in the session that the gateway's client keeps: it puts the token on, refreshes once for all, and asks again. */
export function storefrontClient(url: string, gateway: Gateway): Client {
  return new Client({
    url,
    fetch: gateway.fetch,
    preferGetMethod: false, // what people type does not belong into addresses, which end up in logs
    exchanges: [fetchExchange],
  });
}
