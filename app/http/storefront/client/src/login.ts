// Logins, step by step: each call says whether the person is logged in, what is still missing, or what was wrong.
import type { Ask, RequestOptions } from "./client.js";
import type { UserErrorCode } from "./codes.js";
import type { UserError } from "./errors.js";
import type { Session, Sessions, TokenSet } from "./sessions.js";

/** A way to prove who one is. */
export type SignInMethod =
  | "PASSWORD"
  | "EMAIL_CODE"
  | "PHONE_CODE"
  | "PASSKEY"
  | "TOTP"
  | "RECOVERY_CODE"
  | "SOCIAL"
  | (string & {});

/** What a login still needs: one of the methods, the strongest first. None: enrol a second factor with the ticket. */
export interface LoginStep {
  ticket: string;
  methods: SignInMethod[];
  /** Seconds. */
  expiresIn: number;
}

/** A social account whose address has an account already: see `confirmSocialLink`. */
export interface SocialLink {
  ticket: string;
}

/** One of the methods, answered; `rememberDevice` if the person has ticked that box. */
export interface Answer {
  password?: string;
  emailCode?: string;
  phoneCode?: string;
  passkey?: unknown;
  totp?: string;
  recoveryCode?: string;
  rememberDevice?: boolean;
}

/** What has become of a login. `errors` are for the person: of the last answer, if there is a step or a link. */
export type LoginResult =
  | {
      state: "done";
      customerId: string;
      session: Session;
      /** True: the customer is new. */
      created: boolean;
      /** True: offer `discardUnprovenData`. */
      keptUnprovenData: boolean;
    }
  | { state: "next"; step: LoginStep; errors: UserError[] }
  | { state: "link"; link: SocialLink; errors: UserError[] }
  | { state: "refused"; errors: UserError[] };

/** What the payloads of all logins have. */
export interface Outcome {
  tokens?: TokenSet | null;
  customer?: { id: string } | null;
  nextStep: LoginStep | null;
  linkTicket?: string | null;
  created?: boolean | null;
  keptUnprovenData?: boolean;
  userErrors: UserError[];
}

// The same ticket takes another answer; after five it is over, and then the gateway says so.
const AGAIN: readonly UserErrorCode[] = [
  ...["CODE_INVALID", "CODE_EXPIRED", "INVALID_CREDENTIALS", "PASSKEY_INVALID", "METHOD_OFF", "PASSWORD_LOGIN_OFF"],
  ...["REQUIRED", "INVALID"],
];

export type Logins = ReturnType<typeof loginsOf>;

export function loginsOf(ask: Ask, { isCookie, keep, kept, session }: Sessions) {
  /** In cookie mode the browser sends by itself what knows the device. */
  async function withDevice(input: object): Promise<object> {
    return { ...input, deviceToken: isCookie ? undefined : await kept<string>("device") };
  }

  /** Says what has become of a login whose last step was this one. */
  async function settle(outcome: Outcome, last?: LoginStep): Promise<LoginResult> {
    const { tokens, customer, userErrors: errors, linkTicket, created, keptUnprovenData } = outcome;
    const step = outcome.nextStep ?? (isWorthAnotherTry(errors) ? last : undefined);
    await keep("step", step);
    if (tokens)
      return {
        ...{ state: "done", customerId: customer!.id, session: await session() },
        ...{ created: !!created, keptUnprovenData: !!keptUnprovenData },
      };
    if (step) return { state: "next", step, errors };
    return linkTicket ? { state: "link", link: { ticket: linkTicket }, errors } : { state: "refused", errors };
  }

  async function codeSent(input: object, methods: SignInMethod[], options?: RequestOptions): Promise<LoginResult> {
    const sent = await ask<LoginStep & Outcome>("requestLoginCode", input, options);
    const { ticket, expiresIn, userErrors } = sent;
    return settle({ userErrors, nextStep: ticket ? { ticket, methods, expiresIn } : null });
  }

  async function complete(ticket: string, answer: Answer, last?: LoginStep, options?: RequestOptions) {
    return settle(await ask<Outcome>("completeLogin", await withDevice({ ...answer, ticket }), options), last);
  }

  const calls = {
    /** Logs in by password. */
    async login(input: { email: string; password: string }, options?: RequestOptions): Promise<LoginResult> {
      return settle(await ask<Outcome>("login", await withDevice(input), options));
    },

    /** Has a code sent to an address or a proved phone, which is then the answer to the step that is returned. */
    loginByCode(
      input: { email: string; site?: string } | { phone: string },
      options?: RequestOptions,
    ): Promise<LoginResult> {
      return codeSent(input, ["phone" in input ? "PHONE_CODE" : "EMAIL_CODE"], options);
    },

    /** Sends the code of a step: mostly the first, or another one. */
    sendCode(step: LoginStep, method: "EMAIL_CODE" | "PHONE_CODE" = "EMAIL_CODE"): Promise<LoginResult> {
      return codeSent({ ticket: step.ticket, byPhone: method === "PHONE_CODE" }, step.methods);
    },

    /** Answers a step: `completeLogin(step, { totp: "123456" })`. */
    completeLogin(step: LoginStep, answer: Answer, options?: RequestOptions): Promise<LoginResult> {
      return complete(step.ticket, answer, step, options);
    },

    /** Returns the step that this session has come to, also in another tab: for the page of a mailed code. */
    step(): Promise<LoginStep | undefined> {
      return kept("step");
    },
  };

  return { calls, complete, settle, withDevice };
}

export function isWorthAnotherTry(errors: UserError[]): boolean {
  return errors.length > 0 && errors.every(({ code, field }) => AGAIN.includes(code) && field?.[0] !== "ticket");
}
