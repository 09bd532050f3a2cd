// Remembers the tokens of the last answer, so that the next request is made with them.

const KEY = 'customer-gateway:tokens';

export function currentTokens() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? '{}');
}

export function forgetTokens() {
  sessionStorage.removeItem(KEY);
}

// Finds the TokenSet of whatever mutation answered one, and notes a logout.
export function rememberTokens(answer) {
  for (const payload of Object.values(answer?.data ?? {})) {
    if (payload?.tokens?.accessToken) {
      sessionStorage.setItem(KEY, JSON.stringify(payload.tokens));
    } else if (payload?.loggedOut) {
      forgetTokens();
    }
  }
}

// The prefix of an access token tells whose it is.
export function describe(tokens) {
  const kinds = { cg_aa_: 'Anonymous session', cg_ca_: 'Customer session', cg_ob_: 'On behalf of a customer' };
  return kinds[tokens.accessToken?.slice(0, 6)] ?? 'No token yet';
}
