// What the package gives: `createClient`, its types, and the errors that calls reject with.
export { createClient } from "./client.js";
export type { Client, RequestOptions, TypedDocument } from "./client.js";
export type { ClientOptions, Lock, Storage } from "./options.js";
export type { EndReason, Events, Session, TokenSet } from "./sessions.js";
export type { Answer, LoginResult, LoginStep, SignInMethod, SocialLink } from "./login.js";
export type { Passkey, PasskeyOptions, UsedPasskey } from "./passkeys.js";
export type { SocialOptions, SocialResult } from "./social.js";
export type { UserErrorCode } from "./codes.js";
export {
  ChallengeRequired,
  Forbidden,
  GatewayError,
  NoAnswer,
  RateLimited,
  ReauthenticationRequired,
  ServiceBusy,
  Unauthenticated,
  UserErrors,
  checked,
} from "./errors.js";
export type { ErrorCode, UserError } from "./errors.js";
export { browserStorage, memoryStorage } from "./storage.js";
export { OPERATIONS } from "./operations.js";
