// Ada logs in again and again, in sessions of their own: by password, by a mailed code, on a remembered device.
import type { Answer, Client, LoginResult } from "customer-gateway-client";
import { check } from "./gateway.js";
import { MeDocument } from "./generated/graphql.js";
import { CODE, LINK, mailed } from "./mails.js";
import { ADA, newClient, signUp } from "./people.js";
import { LoginRefused, goOn } from "./sign_in.js";

/** Logs in with the answers one after the other, and returns what was asked for, and who is there in the end. */
async function attempt(client: Client, begin: () => Promise<LoginResult>) {
  const asked: string[] = [];
  await goOn(client, await begin(), async ({ methods }, errors) => {
    asked.push([...errors.map(({ code }) => code), ...methods].join(" "));
    return answerTo(methods[0], errors.length > 0 || asked.length > 1);
  });
  const { me } = await client.request(MeDocument, {});
  return { asked, email: me?.email };
}

/** The first code is mistyped. */
async function answerTo(method: string | undefined, isCareful: boolean): Promise<Answer> {
  if (method === "PASSWORD") return { password: ADA.password, rememberDevice: true };
  check(method === "EMAIL_CODE", `no answer to ${method}`);
  if (!isCareful) return { emailCode: "no code" };
  return { emailCode: await mailed(CODE), rememberDevice: true };
}

const first = newClient();
await signUp(first);
const token = await mailed(LINK);
const CONFIRM = "mutation ($input: ConfirmSignupInput!) { confirmSignup(input: $input) { customerId } }";
await first.request(CONFIRM, { input: { token, password: ADA.password } });
const byPassword = await attempt(first, () => first.login(ADA));
const second = newClient();
const byCode = await attempt(second, () => second.loginByCode({ email: ADA.email }));
await second.logout(); // the device stays known
const remembered = await attempt(second, () => second.login(ADA));
const stranger = newClient();
const refused = await goOn(stranger, await stranger.login({ ...ADA, password: "wrong-harbour-42" }), async () => ({})).catch(
  (error: unknown) => (error instanceof LoginRefused ? error.errors.map(({ code }) => code) : String(error)),
);
console.log(JSON.stringify([byPassword, byCode, remembered, refused]));
