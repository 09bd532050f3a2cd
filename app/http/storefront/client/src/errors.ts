// The errors of calls: what the program must handle, what a person can correct, and answers that did not come.
import type { UserErrorCode } from "./codes.js";

/** What the calling program must handle: `extensions.code` of an error. */
export type ErrorCode =
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "REAUTHENTICATION_REQUIRED"
  | "RATE_LIMITED"
  | "CHALLENGE_REQUIRED"
  | "SERVICE_BUSY"
  | "IDEMPOTENCY_KEY_REUSED"
  | "BAD_REQUEST"
  | "QUERY_TOO_COMPLEX"
  | "PERSISTED_QUERY_NOT_FOUND"
  | "OPERATION_NOT_ALLOWED"
  | "INTERNAL"
  | (string & {});

/** One entry of the `errors` of an answer. */
export interface AnswerError {
  message: string;
  path?: (string | number)[];
  extensions?: Record<string, unknown> & { code?: ErrorCode };
}

/** An answer of the gateway, as it came. */
export interface GraphQLAnswer {
  data?: Record<string, unknown> | null;
  errors?: AnswerError[];
}

/** The gateway has answered that it does not do this. `code` says why; the subclasses have what belongs to one code. */
export class GatewayError extends Error {
  declare readonly code: ErrorCode;
  /** Seconds to wait before the call may be made again, if the gateway has said so. */
  declare readonly retryAfter?: number;
  /** What to give whoever runs the gateway, with the code `INTERNAL`. */
  declare readonly requestId?: string;

  /** All errors, and the data that came with them: fields that are not refused have their values. */
  constructor(
    readonly errors: AnswerError[],
    readonly data?: GraphQLAnswer["data"],
  ) {
    super(errors[0]?.message);
    Object.assign(this, errors[0]?.extensions);
  }
}

/** There is no session that the gateway takes. Only with `renew: false`: else the client gets another one by itself. */
export class Unauthenticated extends GatewayError {}

/** This session may not do this: mostly a guest has to log in first. */
export class Forbidden extends GatewayError {}

/** The customer has to prove once more who they are, by one of `methods`: call `reauthenticate`, then the same again. */
export class ReauthenticationRequired extends GatewayError {
  declare readonly methods: string[];
}

/** Too many calls: wait `retryAfter` seconds. */
export class RateLimited extends GatewayError {
  declare readonly retryAfter: number;
}

/** The gateway was busy at every try. With the outcome `UNKNOWN` it may have done what was asked for. */
export class ServiceBusy extends GatewayError {
  declare readonly retryAfter: number;
  declare readonly outcome: "NOT_DONE" | "UNKNOWN";
}

/** Let the person solve the challenge, and send its answer in the header `Challenge-Response` of the same call. */
export class ChallengeRequired extends GatewayError {
  declare readonly provider: string;
  declare readonly siteKey: string;
}

/** No answer came, at no try. What was asked for may have been done, unless it was a query. `cause` says what happened. */
export class NoAnswer extends Error {
  constructor(cause?: unknown) {
    super("The gateway does not answer.", { cause });
  }
}

/** One thing that a person can correct: `field` is the path inside `input`. */
export interface UserError {
  code: UserErrorCode;
  field?: string[] | null;
  message: string;
}

/** What a person can correct, as an error to throw. */
export class UserErrors extends Error {
  constructor(readonly errors: readonly UserError[]) {
    super(errors[0]?.message);
  }

  /** The errors at a field: `at("customerAddress.street")`; `at("")` those of no field. */
  at(path: string): UserError[] {
    return this.errors.filter(({ field }) => (field ?? []).join(".") === path);
  }

  /** Tells whether one of the errors has this code. */
  has(code: UserErrorCode): boolean {
    return this.errors.some((error) => error.code === code);
  }
}

/** Returns a payload without user errors. Throws them otherwise, as `UserErrors`. */
export function checked<Payload extends { userErrors: readonly UserError[] }>(payload: Payload): Payload {
  if (payload.userErrors.length > 0) throw new UserErrors(payload.userErrors);
  return payload;
}

const CLASSES: Record<string, typeof GatewayError> = {
  UNAUTHENTICATED: Unauthenticated,
  FORBIDDEN: Forbidden,
  REAUTHENTICATION_REQUIRED: ReauthenticationRequired,
  RATE_LIMITED: RateLimited,
  SERVICE_BUSY: ServiceBusy,
  CHALLENGE_REQUIRED: ChallengeRequired,
};

/** Makes the error of an answer, of the class that its code has. */
export function errorOf({ errors = [], data }: GraphQLAnswer): GatewayError {
  return new (CLASSES[String(errors[0]?.extensions?.code)] ?? GatewayError)(errors, data);
}
