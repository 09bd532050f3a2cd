// Ten queries at once with an access token that has expired: prints every request that was sent, and the answers.
import { GATEWAY, recordRequests } from "./gateway.js";
import { AddressesDocument } from "./generated/graphql.js";
import { logInAda, newClient, sleepUntilExpired } from "./people.js";
import { storefrontClient } from "./storefront.js";

const gateway = newClient();
await logInAda(gateway);
const client = storefrontClient(GATEWAY, gateway);

await sleepUntilExpired();
const sent = recordRequests();
const tags = Array.from({ length: 10 }, (_, number) => `TAG-${number}`);
const answers = await Promise.all(tags.map((tag) => client.query(AddressesDocument, { tag }).toPromise()));
const found = answers.map((answer) => answer.data?.addresses.length ?? String(answer.error));
console.log(JSON.stringify({ sent, found }));
