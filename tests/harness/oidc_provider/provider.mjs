// npm's oidc-provider on loopback: everybody who logs in owns the address <name>@example.com, and PKCE is asked for.
import Provider from "oidc-provider";

const [, , port, clientId, clientSecret, redirectUri, appId, appRedirectUri] = process.argv;

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] },
    // The shop's app, which keeps no secret: it gets its id token itself, as the sheet of a platform does.
    {
      client_id: appId,
      token_endpoint_auth_method: "none",
      application_type: "native",
      redirect_uris: [appRedirectUri],
    },
  ],
  // An id token of a sheet says it all, as those of Apple and Google do.
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name", "family_name"] },
  cookies: { keys: ["of-no-use-to-anybody"] },
  pkce: { required: () => true },
  findAccount: (_, name) => ({
    accountId: name,
    claims: () => ({ sub: name, email: `${name}@example.com`, email_verified: true, given_name: "Grace" }),
  }),
});
provider.listen(Number(port), "127.0.0.1");
