// The two ceremonies of passkeys (WebAuthn Level 3), also for browsers that do not turn them into JSON by themselves.
import { base64Url, bytesOf } from "./base64url.js";
import type { Ask } from "./client.js";
import { checked, type UserError } from "./errors.js";
import type { LoginStep } from "./login.js";
import type { Field } from "./operations.js";
import { either } from "./transport.js";

/** A passkey that was made, with the name that the shop lists it by. */
export interface Passkey {
  id: string;
  name: string;
}

/** What `reauthenticate` takes. */
export interface UsedPasskey {
  ticket: string;
  passkey: unknown;
}

/** How a passkey is used: to answer a `step`, or `conditional`, in the field where the address is typed. */
export interface PasskeyOptions {
  step?: LoginStep;
  conditional?: boolean;
  signal?: AbortSignal;
}

interface Begun {
  ticket: string;
  options: PublicKeyCredentialCreationOptionsJSON & PublicKeyCredentialRequestOptionsJSON;
  userErrors: UserError[];
}

// A browser has one ceremony at a time: the one that waits in a field makes room for the one of a button.
let waiting: AbortController | undefined;

async function begin(ask: Ask, field: Field, { step, signal }: PasskeyOptions): Promise<Begun & { signal: AbortSignal }> {
  const begun = checked(await ask<Begun>(field, { ticket: step?.ticket }));
  waiting?.abort();
  waiting = new AbortController();
  return { ...begun, signal: either(waiting.signal, signal) };
}

export async function registerPasskey(ask: Ask, given: PasskeyOptions & { name?: string }): Promise<Passkey> {
  const { ticket, options, signal } = await begin(ask, "beginPasskeyRegistration", given);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON?.(options) ?? parse(options);
  const credential = jsonOf(await navigator.credentials.create({ publicKey, signal }));
  const input = { ticket, credential, name: given.name };
  return checked(await ask<{ passkey: Passkey; userErrors: UserError[] }>("registerPasskey", input)).passkey;
}

export async function usePasskey(ask: Ask, given: PasskeyOptions): Promise<UsedPasskey> {
  const { ticket, options, signal } = await begin(ask, "beginPasskeyLogin", given);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON?.(options) ?? parse(options);
  const mediation = given.conditional ? "conditional" : "optional";
  return { ticket, passkey: jsonOf(await navigator.credentials.get({ publicKey, mediation, signal })) };
}

/** Tells whether the browser offers passkeys where the address is typed. */
export async function canOffer(): Promise<boolean> {
  return !!(await globalThis.PublicKeyCredential?.isConditionalMediationAvailable?.());
}

function parse(options: Begun["options"]): never {
  const { challenge, user, excludeCredentials, allowCredentials } = options;
  const withBytes = <Thing extends { id: string }>(thing: Thing): unknown => ({ ...thing, id: bytesOf(thing.id) });
  return {
    ...options,
    challenge: bytesOf(challenge),
    user: user && withBytes(user),
    excludeCredentials: excludeCredentials?.map(withBytes),
    allowCredentials: allowCredentials?.map(withBytes),
  } as never;
}

function jsonOf(made: Credential | null): unknown {
  const credential = made as PublicKeyCredential;
  if (credential.toJSON) return credential.toJSON();
  const { id, type, authenticatorAttachment, response } = credential;
  const parts: Record<string, unknown> = {};
  for (const name in response) {
    const part: unknown = response[name as keyof typeof response];
    if (part instanceof ArrayBuffer) parts[name] = base64Url(part);
  }
  return {
    ...{ id, type, authenticatorAttachment, rawId: id },
    response: { ...parts, transports: (response as AuthenticatorAttestationResponse).getTransports?.() },
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}
