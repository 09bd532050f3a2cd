// Ten queries at once with an access token that has expired: prints every request that was sent, and the answers.
import { setTimeout } from "node:timers/promises";
import { CLIENT_ID, GATEWAY, check, recordRequests } from "./gateway.js";
import { AddressesDocument, LoginDocument, SignupDocument } from "./generated/graphql.js";
import { type Session, storefrontClient } from "./storefront.js";

const EXPIRED_AFTER = 1000 * Number(process.env["ACCESS_TOKEN_SECONDS"]) + 100;

const session: Session = { tokens: null };
const client = storefrontClient(GATEWAY, CLIENT_ID, session);
const who = { email: "ada@example.com", password: "violet-harbour-42" };
const customerAddress = { contactName: "Ada", street: "Linden", city: "Berlin", country: "DE", tags: ["TAG-3"] };
const signedUp = await client.mutation(SignupDocument, { input: { ...who, customerAddress } });
check(signedUp.data?.signup.customerId, JSON.stringify(signedUp));
const login = await client.mutation(LoginDocument, { input: who });
check(login.data?.login.tokens, JSON.stringify(login));
session.tokens = login.data.login.tokens;

await setTimeout(EXPIRED_AFTER);
const sent = recordRequests();
const tags = Array.from({ length: 10 }, (_, number) => `TAG-${number}`);
const answers = await Promise.all(tags.map((tag) => client.query(AddressesDocument, { tag }).toPromise()));
const found = answers.map((answer) => answer.data?.addresses.length ?? String(answer.error));
console.log(JSON.stringify({ sent, found }));
