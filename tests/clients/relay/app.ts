// Relay: ten queries at once with an access token that has expired, then a mutation that the store shows everywhere.
import { commitMutation, createOperationDescriptor, fetchQuery, getRequest, getSelector } from "relay-runtime";
import type { profileAddresses$data, profileAddresses$key } from "../generated/relay/profileAddresses.graphql.js";
import type { profileQuery } from "../generated/relay/profileQuery.graphql.js";
import type { profileRenameMutation } from "../generated/relay/profileRenameMutation.graphql.js";
import type { profileTaggedQuery } from "../generated/relay/profileTaggedQuery.graphql.js";
import { GATEWAY, check, recordRequests } from "../gateway.js";
import { logInAda, newClient, sleepUntilExpired } from "../people.js";
import { relayEnvironment } from "./environment.js";
import { addressBook, profile, rename, tagged } from "./profile.js";

const gateway = newClient();
await logInAda(gateway);
await sleepUntilExpired();

const sent = recordRequests();
const environment = relayEnvironment(GATEWAY, gateway);
const tags = Array.from({ length: 10 }, (_, number) => `TAG-${number}`);
const answers = await Promise.all(
  tags.map((tag) => fetchQuery<profileTaggedQuery>(environment, tagged, { tag }).toPromise()),
);
const found = answers.map((answer) => answer?.addresses.length);

await fetchQuery<profileQuery>(environment, profile, {}).toPromise();
const shown = createOperationDescriptor(getRequest(profile), {});
environment.retain(shown);
const seen: unknown[] = [];
environment.subscribe(environment.lookup(shown.fragment), ({ data }) => seen.push(data));
const renamed = await new Promise<profileRenameMutation["response"]>((onCompleted, onError) => {
  const variables = { input: { firstName: "Augusta" } };
  commitMutation<profileRenameMutation>(environment, { mutation: rename, variables, onCompleted, onError });
});
check(renamed.updateMe.userErrors.length === 0, JSON.stringify(renamed));
const updates = (seen as profileQuery["response"][]).map((data) => data.me?.firstName);

const parent = environment.lookup(shown.fragment).data as { me: profileAddresses$key };
const selector = getSelector(addressBook as never, parent.me);
check(selector?.kind === "SingularReaderSelector", "no fragment");
const book = environment.lookup(selector).data as unknown as profileAddresses$data;
const cities = book.addresses.map(({ city }) => city);
console.log(JSON.stringify({ sent, found, updates, cities }));
