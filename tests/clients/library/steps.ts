// A visit, a login, a logout, and what goes wrong on the way: walks through the client library, and prints what it saw.
import { print } from "graphql";
import { Forbidden, GatewayError, UserErrors, checked, createClient } from "customer-gateway-client";
import { CLIENT_ID, GATEWAY, recordRequests } from "../gateway.js";
import { MeDocument, SignupDocument, UpdateMeDocument } from "../generated/graphql.js";

const ADA = { email: "ada@example.com", password: "violet-harbour-42" };
const sent = recordRequests();
const client = createClient({ url: GATEWAY, clientId: CLIENT_ID, print });
const heard: unknown[] = [];
client.on("session", (session) => heard.push(session.kind));
client.on("sessionEnded", ({ reason }) => heard.push(reason));

const guests = await Promise.all(Array.from({ length: 16 }, () => client.request(MeDocument, {})));
const guest = await client.session();
const begun = sent.map(({ operation }) => operation).sort();
const forbidden = await client.request("{ addresses { id } }").catch((error: unknown) => error);
const { signup } = await client.request(SignupDocument, { input: { email: "nobody", password: "short" } });
let refused: unknown;
try {
  checked(signup);
} catch (error) {
  refused = error;
}
checked((await client.request(SignupDocument, { input: ADA })).signup);
const wrong = await client.login({ ...ADA, password: "wrong-harbour-42" });
const login = await client.login(ADA);
const customer = await client.session();
const [first, second] = await Promise.all([
  client.request(UpdateMeDocument, { input: { firstName: "Ada" } }),
  client.request(MeDocument, {}),
]);
await client.logout();
const after = await client.request(MeDocument, {});
const afterwards = await client.session();
console.log(
  JSON.stringify({
    guests: new Set(guests.map(({ me }) => me)).size,
    begun: begun.filter((operation) => operation !== "Me"),
    forbidden: [forbidden instanceof Forbidden, forbidden instanceof GatewayError && forbidden.code],
    refused: refused instanceof UserErrors && ["email", "password"].map((path) => refused.at(path).map(({ code }) => code)),
    wrong: wrong.state === "refused" && wrong.errors.map(({ code }) => code),
    login: login.state,
    kinds: [guest.kind, customer.kind, afterwards.kind],
    stayed: [guest.id === customer.id, customer.id === afterwards.id],
    names: [first.updateMe.customer?.firstName, second.me?.email],
    after: after.me,
    heard,
  }),
);
