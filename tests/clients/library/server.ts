// A server that renders: a client for each request, which finds the session in the cookies of that request.
import { type Storage, Unauthenticated, createClient, memoryStorage } from "customer-gateway-client";
import { CLIENT_ID, GATEWAY, recordRequests } from "../gateway.js";
import { ADA, logInAda } from "../people.js";

const browser = memoryStorage();
const visit = createClient({ url: GATEWAY, clientId: CLIENT_ID, storage: browser });
await logInAda(visit);
const { accessToken } = await visit.session();
const key = `customer-gateway ${CLIENT_ID} ${GATEWAY} session`;
const cookie = (await browser.get(key))?.replace(accessToken, `${accessToken.slice(0, 6)}expired`);

/** Returns the storage of one request, which begins with the cookie that the browser has sent. */
async function ofRequest(): Promise<Storage> {
  const storage = memoryStorage();
  await storage.set(key, cookie);
  return storage;
}

const sent = recordRequests();
const emails = await Promise.all(
  Array.from({ length: 16 }, async () => {
    const client = createClient({ url: GATEWAY, clientId: CLIENT_ID, storage: await ofRequest() });
    const { me } = await client.request<{ me: { email: string } | null }>("query Me { me { email } }");
    return me?.email;
  }),
);
const refreshes = sent.filter(({ operation }) => operation === "Refresh").length;
sent.length = 0;
const page = createClient({ url: GATEWAY, clientId: CLIENT_ID, storage: await ofRequest(), renew: false });
const refused = await page.request("query Me { me { email } }").catch((error: unknown) => error instanceof Unauthenticated);
const asked = sent.map(({ operation }) => operation);
console.log(JSON.stringify({ all: emails.every((email) => email === ADA.email), refreshes, refused, asked }));
