import type { Answer, Client, LoginResult, LoginStep, Session, UserError } from "customer-gateway-client";

/** Shows the methods of a step, and what was wrong with the last answer, and returns what the person has answered. */
export type Ask = (step: LoginStep, errors: UserError[]) => Promise<Answer>;

/** The login is over: what it says is for the person. */
export class LoginRefused extends Error {
  constructor(readonly errors: UserError[]) {
    super(errors[0]?.message);
  }
}

/** Goes from step to step until the person is logged in: `goOn(gateway, await gateway.login(input), ask)`. */
export async function goOn(gateway: Client, begun: LoginResult, ask: Ask): Promise<Session> {
  let result = begun;
  while (result.state === "next")
    result = await gateway.completeLogin(result.step, await ask(result.step, result.errors));
  if (result.state === "done") return result.session;
  throw new LoginRefused(result.errors);
}
