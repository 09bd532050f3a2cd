// The operations that the client sends by itself.

const TOKENS = "tokens { accessToken expiresIn refreshToken sessionId initialPassword deviceToken }";
const OUTCOME = `${TOKENS} customer { id } keptUnprovenData nextStep { ticket methods expiresIn }`;
const SOCIAL = `${OUTCOME} created linkTicket`;
const PASSKEY = "ticket options";

const SELECTIONS = {
  anonymousLogin: TOKENS,
  refresh: TOKENS,
  login: OUTCOME,
  completeLogin: OUTCOME,
  requestLoginCode: "ticket expiresIn",
  logout: "loggedOut",
  beginSocialLogin: "authorizationUrl state",
  socialLogin: SOCIAL,
  confirmSocialLink: SOCIAL,
  linkSocialAccount: "",
  reauthenticate: "",
  beginPasskeyLogin: PASSKEY,
  beginPasskeyRegistration: PASSKEY,
  registerPasskey: "passkey { id name }",
};

/** The name of one of them. */
export type Field = keyof typeof SELECTIONS;

/** Returns the text of a mutation, whose payload is called `answer`. */
export function textOf(field: Field): string {
  const name = field.replace(/^./, (first) => first.toUpperCase());
  const input = field === "linkSocialAccount" ? "SocialLogin" : name;
  return `mutation ${name}($input: ${input}Input!) { answer: ${field}(input: $input) { ${SELECTIONS[field]} userErrors { code field message } } }`;
}

/** All of them, for the `operations_file` of a shop that runs nothing but its own. */
export const OPERATIONS: readonly string[] = (Object.keys(SELECTIONS) as Field[]).map(textOf);
