// Walks the journey of a customer, with a request function and types from graphql-codegen and nothing else.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { CLIENT_ID, GATEWAY, check } from "./gateway.js";
import {
  AnonymousLoginDocument,
  ChangePasswordDocument,
  CreateAddressDocument,
  type CustomerStatus,
  DeleteAddressDocument,
  LoginDocument,
  LogoutDocument,
  MeDocument,
  RefreshDocument,
  SignupDocument,
  UpdateAddressDocument,
  UpdateMeDocument,
} from "./generated/graphql.js";

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions: { code: string; reason?: string } }[];
}

let token: string | undefined;

async function ask<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Answer<Data>> {
  const response = await fetch(GATEWAY, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json",
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query: print(document), variables }),
  });
  return (await response.json()) as Answer<Data>;
}

async function run<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  const answer = await ask(document, variables);
  check(answer.data && !answer.errors, JSON.stringify(answer.errors));
  return answer.data;
}

/** The result of a payload without user errors. */
function result<Payload extends { userErrors: unknown[] }>(payload: Payload): Payload {
  check(payload.userErrors.length === 0, JSON.stringify(payload.userErrors));
  return payload;
}

const email = "ada@example.com";
const password = "violet-harbour-42";
const steps: string[] = [];

const begun = result((await run(AnonymousLoginDocument, { input: { clientId: CLIENT_ID } })).anonymousLogin).tokens;
check(begun, "no tokens");
token = begun.accessToken;
check((await run(MeDocument, {})).me === null, "somebody is logged in already");
steps.push("begun");

const refused = (await run(SignupDocument, { input: { email: "nobody", password: "short" } })).signup;
check(refused.customerId === null, "signed up by nonsense");
const codes = refused.userErrors.map((each) => each.code).sort();
check(codes.join() === "INVALID_EMAIL,PASSWORD_TOO_SHORT", codes.join());
steps.push("faults told");

const signedUp = result(
  (
    await run(SignupDocument, {
      input: {
        email,
        password,
        customerDetails: { firstName: "Ada", preferredLanguage: "en_US" },
        customerAddress: { contactName: "Ada Lovelace", street: "St James's Square", city: "London", country: "GB" },
      },
    })
  ).signup,
);
check(signedUp.status === "ACTIVE", `signed up as ${signedUp.status}`);
steps.push("signed up");

const login = result((await run(LoginDocument, { input: { email, password } })).login);
check(login.tokens && login.customer, "not logged in");
check(login.tokens.sessionId === begun.sessionId, "the session did not stay");
const anonymous = await ask(MeDocument, {});
check(anonymous.errors?.[0]?.extensions.reason === "REVOKED", "the anonymous token is still alive");
token = login.tokens.accessToken;
steps.push("logged in");

const me = (await run(MeDocument, {})).me;
const prospect: CustomerStatus = "PROSPECT";
check(me?.email === email && me.status === prospect && me.addresses[0]?.isDefault, JSON.stringify(me));
const metadata = { version: me.metadata.version };
const updated = result((await run(UpdateMeDocument, { input: { title: "Dr.", firstName: null, metadata } })).updateMe);
check(updated.customer?.title === "Dr." && updated.customer.firstName === null, "not updated");
const stale = (await run(UpdateMeDocument, { input: { title: null, metadata } })).updateMe;
check(stale.userErrors[0]?.code === "VERSION_CONFLICT", "a stale version was taken");
steps.push("profile changed");

const street = { contactName: "Ada Lovelace", street: "Unter den Linden", city: "Berlin", country: "DE" };
const created = result((await run(CreateAddressDocument, { input: { ...street, tags: ["billing"] } })).createAddress);
check(created.address && !created.address.isDefault, "no second address");
const id = created.address.id;
result((await run(UpdateAddressDocument, { input: { id, streetNumber: "77a" } })).updateAddress);
check(result((await run(DeleteAddressDocument, { input: { id } })).deleteAddress).deletedId === id, "not deleted");
steps.push("addresses kept");

const passwords = { currentPassword: password, newPassword: "amber-lantern-77" };
const changed = result((await run(ChangePasswordDocument, { input: passwords })).changePassword).tokens;
check(changed?.refreshToken, "no new tokens");
const { refreshToken } = changed;
const refreshed = result((await run(RefreshDocument, { input: { refreshToken } })).refresh).tokens;
check(refreshed, "not refreshed");
token = refreshed.accessToken;
steps.push("password changed");

check(result((await run(LogoutDocument, {})).logout).loggedOut, "not logged out");
const out = await ask(MeDocument, {});
check(out.errors?.[0]?.extensions.code === "UNAUTHENTICATED", "still logged in");
steps.push("logged out");

console.log(JSON.stringify(steps));
