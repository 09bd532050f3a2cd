// Logs in at the provider of the demo, whose page is a form with one field, and prints who is logged in.
import { CLIENT_ID, GATEWAY, check } from "./gateway.js";
import { MeDocument } from "./generated/graphql.js";
import { beginSocialLogin, finishSocialLogin } from "./social.js";
import { type Session, storefrontClient } from "./storefront.js";

const session: Session = { tokens: null };
const client = storefrontClient(GATEWAY, CLIENT_ID, session);
const [address, started] = await beginSocialLogin(client, "demo", String(process.env["REDIRECT_URI"]));
const page = await fetch(address, { method: "POST", body: new URLSearchParams({ sub: "ada" }), redirect: "manual" });
const back = page.headers.get("Location");
check(back, await page.text());
await finishSocialLogin(client, session, started, back);
const me = await client.query(MeDocument, {});
console.log(JSON.stringify(me.data?.me?.email));
