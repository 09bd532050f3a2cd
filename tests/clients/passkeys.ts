/** Posts a document with the session's access token, and returns the data of the answer: see `ask` of a session. */
export type Ask = <Data>(query: string, variables: object) => Promise<Data>;

interface Begun<Options> {
  answer: { ticket: string | null; options: Options | null; userErrors: UserError[] };
}
interface UserError {
  code: string;
  message: string;
}

const BEGUN = "{ ticket options userErrors { code message } }";
const BEGIN_REGISTRATION = `mutation BeginPasskeyRegistration { answer: beginPasskeyRegistration ${BEGUN} }`;
const REGISTER = `mutation RegisterPasskey($input: RegisterPasskeyInput!) {
  answer: registerPasskey(input: $input) { passkey { id name } userErrors { code message } }
}`;
const BEGIN_LOGIN = `mutation BeginPasskeyLogin { answer: beginPasskeyLogin ${BEGUN} }`;
const COMPLETE_LOGIN = `mutation CompleteLogin($input: CompleteLoginInput!) {
  answer: completeLogin(input: $input) { tokens { accessToken } userErrors { code message } }
}`;

/** Makes a passkey on this device for the customer who is logged in, and returns the name that the shop gave it. */
export async function addPasskey(ask: Ask): Promise<string> {
  const begun = await ask<Begun<PublicKeyCredentialCreationOptionsJSON>>(BEGIN_REGISTRATION, {});
  const { ticket, options } = checked(begun.answer);
  if (!options) throw new Error("There are no options.");
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const { answer } = await ask<{ answer: { passkey: { name: string } | null; userErrors: UserError[] } }>(REGISTER, {
    input: { ticket, credential: made.toJSON() },
  });
  return checked(answer).passkey?.name ?? "";
}

/**
 * Logs in with a passkey, and returns the access token. Call it with "conditional" as the login page opens, where a field
 * has autocomplete="username webauthn": the browser offers the passkeys in it. A button calls it with "optional".
 */
export async function logInWithPasskey(
  ask: Ask,
  mediation: CredentialMediationRequirement,
  signal = new AbortController().signal,
): Promise<string> {
  const begun = await ask<Begun<PublicKeyCredentialRequestOptionsJSON>>(BEGIN_LOGIN, {});
  const { ticket, options } = checked(begun.answer);
  if (!options) throw new Error("There are no options.");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const used = (await navigator.credentials.get({ publicKey, mediation, signal })) as PublicKeyCredential;
  const { answer } = await ask<{ answer: { tokens: { accessToken: string } | null; userErrors: UserError[] } }>(
    COMPLETE_LOGIN,
    { input: { ticket, passkey: used.toJSON() } },
  );
  return checked(answer).tokens?.accessToken ?? "";
}

/** Returns the payload, or throws the first user error by its code: `METHOD_OFF`, `PASSKEY_INVALID` … */
function checked<Payload extends { userErrors: UserError[] }>(payload: Payload): Payload {
  const error = payload.userErrors[0];
  if (error) throw new Error(error.code);
  return payload;
}
