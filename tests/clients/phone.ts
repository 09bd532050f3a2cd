// An app: ten calls at once with an expired token, an answer that is lost on the way, and a process that is killed.
import { type TokenKeeper } from "./tokens.js";
import { FileStore, appTokens } from "./app.js";
import { CLIENT_ID, GATEWAY, check, recordRequests } from "./gateway.js";
import { logInAda, sleepUntilExpired } from "./people.js";

const store = new FileStore(String(process.env["TOKEN_FILE"]));
const start = (): TokenKeeper => appTokens(GATEWAY, CLIENT_ID, store);

/** Returns whose session the app is in: asks, and asks once more with another token if this one has expired. */
async function email(keeper: TokenKeeper, refused?: string): Promise<string | undefined> {
  const token = await keeper.accessToken(refused);
  const response = await fetch(GATEWAY, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: "query Me { me { email } }" }),
  });
  const answer = (await response.json()) as { data?: { me: { email: string } | null } | null; errors?: unknown[] };
  if (answer.errors && refused === undefined) return email(keeper, token);
  return answer.data?.me?.email;
}

async function isRefused(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => false,
    () => true,
  );
}

const app = start();
await app.put(await logInAda());
await sleepUntilExpired();
const sent = recordRequests();
const together = await Promise.all(Array.from({ length: 10 }, () => email(app)));

// The gateway has answered, but the answer does not arrive.
await sleepUntilExpired();
const connected = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const response = await connected(input, init);
  if (!String(init?.body).includes("mutation Refresh")) return response;
  throw new TypeError("network error");
};
check(await isRefused(email(app)), "the answer was not lost");
globalThis.fetch = connected;
const afterLoss = await email(app);

// What the app wrote down is all that the next process has.
await sleepUntilExpired();
const afterRestart = await email(start());

// Where nobody answers nothing is forgotten.
await sleepUntilExpired();
globalThis.fetch = async () => new Response('{"errors": [{"message": "busy"}]}', { status: 503 });
check(await isRefused(start().accessToken((await store.read())?.accessToken)), "a busy gateway was believed");
globalThis.fetch = connected;
const afterBusy = await email(start());
console.log(JSON.stringify({ sent, together, afterLoss, afterRestart, afterBusy }));
