import type { Client } from "customer-gateway-client";

/** The button of a provider: sends the person there. What has to outlive the visit is kept in sessionStorage. */
export async function leave(gateway: Client, provider: string, redirectUri: string): Promise<void> {
  location.assign(await gateway.beginSocialLogin(provider, { redirectUri }));
}

/**
 * The page that the person comes back to: returns what it shows. `address` is its own; an app gives the one that its scheme
 * was opened with. `askPassword` has the person prove that the account with the same address is theirs.
 */
export async function arrive(
  gateway: Client,
  askPassword: () => Promise<string>,
  address: string = location.href,
): Promise<string> {
  let result = await gateway.finishSocialLogin(address);
  while (result.state === "link")
    result = await gateway.confirmSocialLink(result.link, { password: await askPassword() });
  if (result.state === "done") return result.created ? "Welcome!" : "You are logged in.";
  if (result.state === "next") return "One more step."; // see the loop of "sign in"
  if (result.state === "refused") return result.errors[0]?.message ?? "";
  return "You are not logged in."; // canceled at the provider
}
