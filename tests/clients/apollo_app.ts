// Apollo Client: a guest, then ten queries at once with an access token that has expired, then a session that is over.
import { CombinedGraphQLErrors } from "@apollo/client";
import { apolloClient } from "./apollo.js";
import { GATEWAY, check, recordRequests } from "./gateway.js";
import {
  AddressesDocument,
  CreateAddressDocument,
  MeDocument,
  UpdateMeDocument,
} from "./generated/graphql.js";
import { logInAda, newClient, sleepUntilExpired } from "./people.js";

const gateway = newClient();
const client = apolloClient(GATEWAY, gateway);
const network = { fetchPolicy: "network-only" } as const;

const guest = await client.query({ query: MeDocument, ...network });
check(guest.data?.me === null, JSON.stringify(guest));
await logInAda(gateway);
await client.clearStore();

await sleepUntilExpired();
const sent = recordRequests();
const tags = Array.from({ length: 10 }, (_, number) => `TAG-${number}`);
const answers = await Promise.all(
  tags.map((tag) => client.query({ query: AddressesDocument, variables: { tag }, ...network })),
);
const found = answers.map(({ data, error }) => data?.addresses.length ?? String(error));

// What a mutation answers is in the cache, under the id of the customer, and everything that shows it is told.
await client.query({ query: MeDocument, ...network });
const before = sent.length;
await client.mutate({ mutation: UpdateMeDocument, variables: { input: { firstName: "Augusta" } } });
const street = { contactName: "Ada", street: "Graben", city: "Wien", country: "AT", isDefault: true };
await client.mutate({ mutation: CreateAddressDocument, variables: { input: street } });
const cached = (await client.query({ query: MeDocument })).data?.me;
const book = cached?.addresses.map(({ city, isDefault }) => [city, isDefault]);
const asked = sent.slice(before).map(({ operation }) => operation);

// A person's mistake is an answer, and no reason for a second try.
const wrong = await client.mutate({ mutation: UpdateMeDocument, variables: { input: { preferredCurrency: "?" } } });
const told = wrong.data?.updateMe.userErrors.map(({ code }) => code);

await gateway.logout();
await client.clearStore();
const after = await client
  .query({ query: MeDocument, ...network })
  .then(({ data }) => data?.me)
  .catch((error: unknown) => (CombinedGraphQLErrors.is(error) ? error.errors : String(error)));
console.log(JSON.stringify({ sent: sent.slice(0, before), found, asked, name: cached?.firstName, book, told, after }));
