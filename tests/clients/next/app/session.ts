// What pages and actions ask the gateway, with the cookies and in the name of the visitor of this request.
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { Unauthenticated, ask, visitorOf } from "../gateway";
import { ACCESS } from "../session";

/** Runs an operation for a page at `path`; where the token is not taken the browser comes back with another one. */
export async function askFor<Data>(path: string, query: string, variables?: Record<string, unknown>): Promise<Data> {
  try {
    return await ask<Data>(visitorOf(await headers()), query, variables, (await cookies()).get(ACCESS)?.value);
  } catch (error) {
    if (!(error instanceof Unauthenticated)) throw error;
    redirect(`/renew?to=${encodeURIComponent(path)}`);
  }
}
