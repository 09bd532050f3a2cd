/** Tells whether this browser has passkeys, and reads the gateway's options. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
}

/**
 * Returns the answer for `passkey` of `completeLogin` or `reauthenticate`; null if the person has closed the sheet.
 * `conditional` offers passkeys where the page has an `<input autocomplete="username webauthn">`, and waits meanwhile.
 */
export async function usePasskey(
  options: PublicKeyCredentialRequestOptionsJSON,
  mediation: CredentialMediationRequirement = "optional",
): Promise<Record<string, unknown> | null> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return answerOf(navigator.credentials.get({ publicKey, mediation }));
}

/** Returns the `credential` for `registerPasskey`; null if the person has closed the sheet. */
export async function makePasskey(
  options: PublicKeyCredentialCreationOptionsJSON,
): Promise<Record<string, unknown> | null> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return answerOf(navigator.credentials.create({ publicKey }));
}

async function answerOf(asked: Promise<Credential | null>): Promise<Record<string, unknown> | null> {
  try {
    const credential = await asked;
    return credential instanceof PublicKeyCredential ? { ...credential.toJSON() } : null;
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotAllowedError") return null;
    throw error;
  }
}
