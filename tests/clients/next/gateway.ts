// The gateway as the shop's own server calls it: in the name of the visitor, whose address and browser it tells.

/** Who has asked for the page. */
export interface Visitor {
  ip: string | null;
  userAgent: string | null;
}

/** The gateway does not take the access token: get another one. */
export class Unauthenticated extends Error {}

const URL = process.env["GATEWAY_URL"] ?? "http://127.0.0.1:8000/graphql";

/** Reads the visitor off the headers of the request for the page. */
export function visitorOf(headers: { get(name: string): string | null }): Visitor {
  // The last address is what your own proxy has written down; anybody can write the ones before it.
  const ip = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? null;
  return { ip, userAgent: headers.get("user-agent") };
}

/** Runs an operation. Throws `Unauthenticated`, or an error that says why there is no answer. */
export async function ask<Data>(
  visitor: Visitor,
  query: string,
  variables: Record<string, unknown> = {},
  accessToken?: string,
): Promise<Data> {
  const response = await fetch(URL, {
    method: "POST",
    cache: "no-store",
    headers: {
      "Content-Type": "application/json",
      ...(accessToken && { Authorization: `Bearer ${accessToken}` }),
      ...speaksFor(visitor),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Data | null; errors?: GatewayError[] };
  if (errors?.some((each) => each.extensions?.code === "UNAUTHENTICATED")) throw new Unauthenticated();
  if (errors || !data) throw new Error(errors?.[0]?.message ?? "The gateway does not answer.");
  return data;
}

/** Without these headers all visitors would share the limits of the one address that this server has. */
function speaksFor(visitor: Visitor): Record<string, string> {
  const secret = process.env["STOREFRONT_SECRET"];
  if (!secret) return {};
  return {
    "Storefront-Secret": secret,
    "Gateway-Client": process.env["CLIENT_ID"] ?? "", // for calls whose token nobody knows any more
    ...(visitor.ip && { "Buyer-IP": visitor.ip }),
    ...(visitor.userAgent && { "Buyer-User-Agent": visitor.userAgent }),
  };
}

interface GatewayError {
  message: string;
  extensions?: { code?: string };
}
