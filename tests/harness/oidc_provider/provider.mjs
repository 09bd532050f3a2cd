// npm's oidc-provider on loopback: everybody who logs in owns the address <name>@example.com, and PKCE is asked for.
import Provider from "oidc-provider";

const [, , port, clientId, clientSecret, redirectUri] = process.argv;

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name", "family_name"] },
  cookies: { keys: ["of-no-use-to-anybody"] },
  pkce: { required: () => true },
  findAccount: (_, name) => ({
    accountId: name,
    claims: () => ({ sub: name, email: `${name}@example.com`, email_verified: true, given_name: "Grace" }),
  }),
});
provider.listen(Number(port), "127.0.0.1");
