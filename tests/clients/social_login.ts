// Logs in at the provider of the demo, whose page is a form with one field, and prints what becomes of each way.
import { check } from "./gateway.js";
import { MeDocument } from "./generated/graphql.js";
import { LINK, mailed } from "./mails.js";
import { ADA, newClient, signUp } from "./people.js";
import { arrive } from "./social.js";

const redirectUri = String(process.env["REDIRECT_URI"]);
const client = newClient();

/** Returns the address that the provider's page sends the person back to. */
async function visit(purpose: "login" | "link" | "reauthenticate", sub = "ada"): Promise<string> {
  const address = await client.beginSocialLogin("demo", { redirectUri, purpose });
  const page = await fetch(address, { method: "POST", body: new URLSearchParams({ sub }), redirect: "manual" });
  const back = page.headers.get("Location");
  check(back, await page.text());
  return back;
}

const passwords: string[] = [];
const askPassword = async (): Promise<string> => {
  passwords.push(passwords.length === 0 ? "wrong-harbour-42" : ADA.password);
  return passwords.at(-1) ?? "";
};

// A customer with the same address, who proves it by the password, mistyped once.
await signUp(client);
await client.request("mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { accepted } }", {
  input: { email: ADA.email },
});
await client.request("mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { passwordReset } }", {
  input: { token: await mailed(LINK), password: ADA.password }, // which proves the address
});
const confirmed = await arrive(client, askPassword, await visit("login"));
const { me } = await client.request(MeDocument, {});
const proved = (await client.finishSocialLogin(await visit("reauthenticate"))).state;
const linked = (await client.finishSocialLogin(await visit("link", "ada2"))).state;
await client.logout();

// A new person; the page calls twice at once, as React's strict mode does.
const back = await visit("login", "lin");
const both = await Promise.all([arrive(client, askPassword, back), arrive(client, askPassword, back)]);
await client.logout();

// Somebody who did not want to, and an answer that nobody has asked for.
const begun = new URL(await client.beginSocialLogin("demo", { redirectUri })).searchParams.get("state");
const canceled = await client.finishSocialLogin(`${redirectUri}?state=${begun}&error=access_denied`);
const strange = await arrive(client, askPassword, `${redirectUri}?state=nobody&code=nothing`);
console.log(JSON.stringify({ confirmed, passwords, email: me?.email, proved, linked, both, canceled, strange }));
