// What the programs of the tests share: the address of the gateway, and the requests that were sent.

export const GATEWAY = `${process.env["GATEWAY_URL"]}/graphql`;
export const CLIENT_ID = process.env["CLIENT_ID"] ?? "open-storefront";

/** One request to the gateway: its method, the name of the operation, and whether the text went along. */
export interface Sent {
  method: string;
  operation: string;
  text: boolean;
}

/** Keeps a record of every request from now on. */
export function recordRequests(): Sent[] {
  const sent: Sent[] = [];
  const send = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const address = new URL(input instanceof Request ? input.url : input);
    const body: Record<string, unknown> = init?.body
      ? JSON.parse(String(init.body))
      : Object.fromEntries(address.searchParams);
    sent.push({
      method: init?.method ?? "GET",
      operation: String(body["operationName"] ?? /\w+ (\w+)/.exec(String(body["query"]))?.[1]),
      text: body["query"] !== undefined,
    });
    return send(input, init);
  };
  return sent;
}

export function check(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}
