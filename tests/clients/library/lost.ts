// Answers that are lost, late, or say that the gateway is busy: prints what the client library did about each.
import { NoAnswer, ServiceBusy, createClient, memoryStorage } from "customer-gateway-client";
import { print } from "graphql";
import { CLIENT_ID } from "../gateway.js";
import { CreateAddressDocument, MeDocument, SignupDocument } from "../generated/graphql.js";
import { type Fate, Proxy } from "./proxy.js";

const ADA = { email: "ada@example.com", password: "violet-harbour-42" };
const STREET = { contactName: "Ada", street: "Linden", city: "Berlin", country: "DE" };
const proxy = new Proxy();
const url = await proxy.start();
const storage = memoryStorage();
const client = createClient({ url, clientId: CLIENT_ID, print, storage, timeout: 10_000 });
const ended: string[] = [];
client.on("sessionEnded", ({ reason }) => ended.push(reason));

const losing =
  (name: string, times = 1) =>
  (operation: string, count: number): Fate =>
    operation === name && count <= times ? "lose" : "pass";
const busy = (retryAfter: number, outcome = "NOT_DONE"): Fate => {
  const extensions = { code: "SERVICE_BUSY", retryAfter, outcome };
  return { status: 503, retryAfter, body: JSON.stringify({ errors: [{ message: "busy", extensions }] }) };
};
const nameOf = (error: unknown): string =>
  error instanceof NoAnswer ? "NoAnswer" : error instanceof ServiceBusy ? `${error.code} ${error.outcome}` : String(error);
const attempt = async (work: Promise<unknown>): Promise<string> => work.then(() => "done", nameOf);
const told: Record<string, unknown> = {};

// What begins a session, signs up and logs in: each is done once, though its answer is lost once.
proxy.next((operation, count) => (count === 1 ? "lose" : "pass"));
await client.request(SignupDocument, { input: ADA });
const { state } = await client.login(ADA);
told["login"] = [state, proxy.operations];

// One address, by one key, though two answers are lost.
proxy.next(losing("CreateAddress", 2));
await client.request(CreateAddressDocument, { input: STREET });
const { me } = await client.request(MeDocument, {});
const keys = proxy.passed.filter(({ operation }) => operation === "CreateAddress").map(({ key }) => key);
told["create"] = [me?.addresses.length, keys.length, new Set(keys).size];

// The refresh is sent again with the same token, by the grace of the gateway.
const { accessToken } = await client.session();
const kept = `customer-gateway ${CLIENT_ID} ${url} session`;
await storage.set(kept, (await storage.get(kept))?.replace(accessToken, `${accessToken.slice(0, 6)}expired`));
proxy.next(losing("Refresh", 2));
const sixteen = await Promise.all(Array.from({ length: 16 }, () => client.request(MeDocument, {})));
told["refresh"] = [new Set(sixteen.map((each) => each.me?.email)).size, proxy.operations.filter((each) => each !== "Me")];

// No try is answered.
proxy.next(losing("CreateAddress", 9));
const impatient = createClient({ url, clientId: CLIENT_ID, print, tries: 2 });
told["never"] = [await attempt(impatient.request(CreateAddressDocument, { input: STREET })), proxy.operations];

// Nobody knows what two fields at once have done, nor what a hash stands for: they are sent once.
const two = "mutation Two { one: logout(input: {}) { loggedOut } two: logout(input: {}) { loggedOut } }";
proxy.next(losing("Two", 9));
told["two"] = [await attempt(impatient.request(two)), proxy.operations];
proxy.next(() => "lose");
const hash = { operationName: "Hashed", extensions: { persistedQuery: { version: 1, sha256Hash: "0".repeat(64) } } };
told["hash"] = [await attempt(impatient.fetch(url, { method: "POST", body: JSON.stringify(hash) })), proxy.operations];

// Busy: as long as it says, as often as it may; not at all where that takes too long, or nobody knows what was done.
proxy.next((_, count) => (count === 1 ? busy(1) : "pass"));
const answered = await attempt(client.request(MeDocument, {}));
const [first, second] = proxy.passed;
told["busy"] = [answered, (second?.at ?? 0) - (first?.at ?? 0) >= 1000];
proxy.next(() => busy(60));
told["long"] = [await attempt(client.request(MeDocument, {})), proxy.operations];
proxy.next(() => busy(1, "UNKNOWN"));
told["unknown"] = [await attempt(impatient.request(two)), proxy.operations];
proxy.next((_, count) => (count === 1 ? { status: 502, body: "<h1>Bad gateway</h1>" } : "pass"));
told["proxy"] = [await attempt(client.request(MeDocument, {})), proxy.operations];
proxy.next(() => ({ status: 200, body: "<h1>Log in to this network</h1>" }));
told["portal"] = [await attempt(client.request(MeDocument, {})), proxy.operations];

// An answer that does not come, and somebody who does not want it any more.
proxy.next((_, count) => (count === 1 ? "hold" : "pass"));
told["timeout"] = [await attempt(client.request(MeDocument, {}, { timeout: 300 })), proxy.operations];
proxy.next(() => "hold");
const wish = new AbortController();
const unwanted = client.request(MeDocument, {}, { signal: wish.signal }).catch((error: unknown) => error);
while (proxy.passed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
wish.abort(new Error("enough"));
told["abort"] = [String(await unwanted), proxy.operations];
proxy.next(() => "pass");
told["after"] = [(await client.request(MeDocument, {})).me?.email, ended];
console.log(JSON.stringify(told));
process.exit();
