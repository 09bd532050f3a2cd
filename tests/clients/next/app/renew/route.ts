// Where a page sends the browser whose access token was not taken: back with new cookies, or as a guest.
import { type NextRequest, NextResponse } from "next/server";
import { visitorOf } from "../../gateway";
import { REFRESH_COOKIE, keep, renew } from "../../session";

export async function GET(request: NextRequest): Promise<NextResponse> {
  const to = request.nextUrl.searchParams.get("to") ?? "/";
  const isOurs = to.startsWith("/") && !/^\/[/\\]/.test(to); // never to another host
  const tokens = await renew(visitorOf(request.headers), request.cookies.get(REFRESH_COOKIE)?.value);
  const response = new NextResponse(null, { status: 307, headers: { Location: isOurs ? to : "/" } });
  keep((...cookie) => response.cookies.set(...cookie), tokens);
  return response;
}
