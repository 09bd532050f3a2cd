// Ada logs in again and again, in sessions of their own: by password, by a mailed code, on a remembered device.
import { readFile, readdir } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { CLIENT_ID, GATEWAY, check } from "./gateway.js";
import { MeDocument } from "./generated/graphql.js";
import { logInAda } from "./people.js";
import { type Answer, type Ask, LoginRefused, logIn, logInByCode } from "./sign_in.js";
import { type Session, storefrontClient } from "./storefront.js";

const ADA = { email: "ada@example.com", password: "violet-harbour-42" };
const MAILS = String(process.env["MAILS"]);
const opened = new Set<string>();

/** Returns the code of the next mail, as soon as it is there. */
async function mailedCode(): Promise<string> {
  return mailed(/^ {4}(\d{6})\s*$/m);
}

/** Returns what the next mail has of this form, as soon as it is there. */
async function mailed(form: RegExp): Promise<string> {
  for (;;) {
    const files = (await readdir(MAILS).catch(() => [])).filter((name) => name.endsWith(".eml") && !opened.has(name));
    for (const name of files) {
      const code = form.exec(readable(await readFile(`${MAILS}/${name}`, "utf8")))?.[1];
      if (!code) continue;
      opened.add(name);
      return code;
    }
    await setTimeout(20);
  }
}

/** Undoes quoted-printable: lines that were cut, and characters that are written as numbers. */
function readable(mail: string): string {
  const whole = mail.replace(/=\r?\n/g, "");
  return whole.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Logs in with the answers one after the other, and returns what was asked for, and who is there in the end. */
async function attempt(begin: (session: Session, ask: Ask) => Promise<{ deviceToken?: string | null }>) {
  const session: Session = { tokens: null };
  const asked: string[] = [];
  const tokens = await begin(session, async ({ methods }, faults) => {
    asked.push([...faults.map(({ code }) => code), ...methods].join(" "));
    return answerTo(methods[0], faults.length > 0 || asked.length > 1);
  });
  const me = await storefrontClient(GATEWAY, CLIENT_ID, session).query(MeDocument, {});
  return { asked, email: me.data?.me?.email, deviceToken: tokens.deviceToken };
}

/** The first code is mistyped. */
async function answerTo(method: string | undefined, isCareful: boolean): Promise<Answer> {
  if (method === "PASSWORD") return { password: ADA.password, rememberDevice: true };
  check(method === "EMAIL_CODE", `no answer to ${method}`);
  if (!isCareful) return { emailCode: "no code" };
  return { emailCode: await mailedCode(), rememberDevice: true };
}

const client = (session: Session) => storefrontClient(GATEWAY, CLIENT_ID, session);
await logInAda().catch(() => undefined); // the sign-up is what counts: nobody can log in before the link is opened
const token = await mailed(/token=(cg_ot_[\w-]+)/);
const CONFIRM = "mutation ($input: ConfirmSignupInput!) { confirmSignup(input: $input) { customerId } }";
await client({ tokens: null }).mutation(CONFIRM, { input: { token, password: ADA.password } });
const byPassword = await attempt((session, ask) => logIn(client(session), session, ADA, ask));
const byCode = await attempt((session, ask) => logInByCode(client(session), session, ADA.email, ask));
const { deviceToken = null } = byCode;
const remembered = await attempt((session, ask) => logIn(client(session), session, { ...ADA, deviceToken }, ask));
const session: Session = { tokens: null };
const refused = await logIn(client(session), session, { ...ADA, password: "wrong-harbour-42" }, async () => ({})).catch(
  (error: unknown) => (error instanceof LoginRefused ? error.faults.map(({ code }) => code) : String(error)),
);
const told = ({ asked, email }: { asked: string[]; email?: string | null | undefined }) => ({ asked, email });
console.log(JSON.stringify([told(byPassword), told(byCode), told(remembered), refused]));
