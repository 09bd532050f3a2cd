// Before each page (Next's middleware): sees to it that the page has an access token, and the browser the new cookies.
import { type NextRequest, NextResponse } from "next/server";
import { visitorOf } from "./gateway";
import { ACCESS, REFRESH_COOKIE, keep, renew } from "./session";

export async function proxy(request: NextRequest): Promise<NextResponse> {
  if (request.cookies.has(ACCESS)) return NextResponse.next();
  const tokens = await renew(visitorOf(request.headers), request.cookies.get(REFRESH_COOKIE)?.value);
  keep((name, value) => request.cookies.set(name, value), tokens); // for the page that is rendered now
  const response = NextResponse.next({ request });
  keep((...cookie) => response.cookies.set(...cookie), tokens); // for the browser
  return response;
}

// Neither for files nor for `renew`, which does the same.
export const config = { matcher: "/((?!_next/|favicon.ico|renew).*)" };
