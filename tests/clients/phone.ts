// An app: ten calls at once with an expired token, an answer that is lost on the way, and a process that is killed.
import type { Client } from "customer-gateway-client";
import { appClient } from "./app.js";
import { CLIENT_ID, GATEWAY, check, recordRequests } from "./gateway.js";
import { ADA, logInAda, sleepUntilExpired } from "./people.js";

const start = (): Client => appClient(GATEWAY, CLIENT_ID, String(process.env["FOLDER"]));

/** Returns whose session the app is in. */
async function email(client: Client): Promise<string | undefined> {
  const { me } = await client.request<{ me: { email: string } | null }>("query Me { me { email } }");
  return me?.email;
}

const app = start();
await logInAda(app);
await sleepUntilExpired();
const sent = recordRequests();
const together = await Promise.all(Array.from({ length: 10 }, () => email(app)));

// The gateway has answered, but the answer does not arrive.
await sleepUntilExpired();
const connected = globalThis.fetch;
let lost = 0;
globalThis.fetch = async (input, init) => {
  const response = await connected(input, init);
  if (lost > 0 || !String(init?.body).includes("mutation Refresh")) return response;
  lost += 1;
  throw new TypeError("network error");
};
const afterLoss = await email(app);
check(lost === 1, "the answer was not lost");
globalThis.fetch = connected;

// What the app wrote down is all that the next process has.
await sleepUntilExpired();
const afterRestart = await email(start());

// Where nobody answers nothing is forgotten.
await sleepUntilExpired();
globalThis.fetch = async () => new Response('{"errors": [{"message": "busy"}]}', { status: 503 });
const refused = await email(start()).catch(() => "refused");
check(refused === "refused", "a busy gateway was believed");
globalThis.fetch = connected;
const afterBusy = await email(start());
check(afterBusy === ADA.email, "somebody else");
console.log(JSON.stringify({ sent, together, afterLoss, afterRestart, afterBusy }));
