import type { Client } from "@urql/core";
import {
  CompleteLoginDocument,
  type CompleteLoginMutationVariables,
  LoginDocument,
  type LoginMutation,
  type LoginMutationVariables,
  RequestLoginCodeDocument,
} from "./generated/graphql.js";
import type { Session } from "./storefront.js";

type Outcome = Pick<LoginMutation["login"], "tokens" | "nextStep" | "userErrors">;
type Tokens = NonNullable<Outcome["tokens"]>;
export type Step = NonNullable<Outcome["nextStep"]>;
export type Fault = Outcome["userErrors"][number];
/** One of the methods, answered: `{ emailCode: "482109" }`, and `rememberDevice` if the person has ticked it. */
export type Answer = Omit<CompleteLoginMutationVariables["input"], "ticket">;
/** Shows the methods of a step, and what was wrong with the last answer, and returns what the person has answered. */
export type Ask = (step: Step, faults: Fault[]) => Promise<Answer>;

/** The login is over: what it says is for the person. */
export class LoginRefused extends Error {
  constructor(readonly faults: Fault[]) {
    super(faults[0]?.message);
  }
}

/** Logs in by password. `deviceToken` in the input is what an earlier login on this device has given. */
export async function logIn(
  client: Client,
  session: Session,
  input: LoginMutationVariables["input"],
  ask: Ask,
): Promise<Tokens> {
  const { data, error } = await client.mutation(LoginDocument, { input });
  if (!data) throw error;
  return goOn(client, session, data.login, ask);
}

/** Has a code mailed, which is the first thing that is asked for. */
export async function logInByCode(client: Client, session: Session, email: string, ask: Ask): Promise<Tokens> {
  const { data, error } = await client.mutation(RequestLoginCodeDocument, { input: { email } });
  if (!data) throw error;
  const { ticket, expiresIn, userErrors } = data.requestLoginCode;
  if (!ticket || !expiresIn) throw new LoginRefused(userErrors);
  const nextStep: Step = { ticket, methods: ["EMAIL_CODE"], expiresIn };
  return goOn(client, session, { tokens: null, nextStep, userErrors }, ask);
}

/** Goes from step to step until there are tokens; so do `socialLogin` and `confirmSocialLink`. */
export async function goOn(client: Client, session: Session, begun: Outcome, ask: Ask): Promise<Tokens> {
  let outcome = begun;
  let step: Step | null | undefined;
  while (!outcome.tokens) {
    step = outcome.nextStep ?? (isWorthAnotherTry(outcome.userErrors) ? step : null);
    if (!step) throw new LoginRefused(outcome.userErrors);
    const answer = await ask(step, outcome.userErrors);
    const { data, error } = await client.mutation(CompleteLoginDocument, { input: { ...answer, ticket: step.ticket } });
    if (!data) throw error;
    outcome = data.completeLogin;
  }
  session.tokens = outcome.tokens;
  return outcome.tokens;
}

/** Tells whether the same ticket takes another answer; after five it is over, and then the gateway says so. */
function isWorthAnotherTry(faults: Fault[]): boolean {
  const codes = ["CODE_INVALID", "CODE_EXPIRED", "INVALID_CREDENTIALS", "PASSKEY_INVALID", "METHOD_OFF"];
  return faults.length > 0 && faults.every(({ code }) => codes.includes(code));
}
