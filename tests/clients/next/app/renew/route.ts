// Where a page sends the browser whose access token was not taken: back with new cookies, or as a guest.
import { type NextRequest, NextResponse } from "next/server";
import { Unauthenticated, type Visitor, ask, visitorOf } from "../../gateway";
import { ACCESS, REFRESH_COOKIE, keep, renew } from "../../session";

export async function GET(request: NextRequest): Promise<NextResponse> {
  const { searchParams, origin } = request.nextUrl;
  const response = new NextResponse(null, { status: 307, headers: { Location: within(origin, searchParams.get("to")) } });
  const visitor = visitorOf(request.headers);
  if (await isTaken(visitor, request.cookies.get(ACCESS)?.value)) return response; // another page has been here
  const tokens = await renew(visitor, request.cookies.get(REFRESH_COOKIE)?.value);
  keep((...cookie) => response.cookies.set(...cookie), tokens);
  return response;
}

/** Returns the path of a page of ours, as a browser would understand `to`; the start page for every other address. */
function within(origin: string, to: string | null): string {
  if (to === null || !URL.canParse(to, origin)) return "/";
  const { origin: host, pathname, search } = new URL(to, origin);
  return host === origin ? pathname.replace(/^\/+/, "/") + search : "/";
}

async function isTaken(visitor: Visitor, accessToken: string | undefined): Promise<boolean> {
  if (accessToken === undefined) return false;
  try {
    await ask(visitor, "query Token { tokenInfo { kind } }", {}, accessToken);
    return true;
  } catch (error) {
    if (error instanceof Unauthenticated) return false;
    throw error;
  }
}
