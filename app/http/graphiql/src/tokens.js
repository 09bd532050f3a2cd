// Remembers the tokens of the last answer, so that the next request is made with them.

const KEY = 'customer-gateway:tokens';
const CUSTOMER = 'customer-gateway:customer-tokens';
const EARLIER = 'customer-gateway:earlier-tokens';

const read = (key) => JSON.parse(sessionStorage.getItem(key) ?? '{}');
const keep = (key, tokens) => sessionStorage.setItem(key, JSON.stringify(tokens));

export const currentTokens = () => read(KEY);
// Those of the customer's session before this one: of another device, or of another account.
export const earlierTokens = () => read(EARLIER);

export function forgetTokens() {
  sessionStorage.removeItem(KEY);
}

// Finds the TokenSet of whatever mutation answered one, and notes a logout.
export function rememberTokens(answer) {
  for (const payload of Object.values(answer?.data ?? {})) {
    if (payload?.tokens?.accessToken) {
      remember(payload.tokens);
    } else if (payload?.loggedOut) {
      forgetTokens();
    }
  }
}

function remember(tokens) {
  if (tokens.accessToken.startsWith('cg_ca_')) {
    const before = read(CUSTOMER);
    if (before.sessionId && before.sessionId !== tokens.sessionId) {
      keep(EARLIER, before);
    }
    keep(CUSTOMER, tokens);
  }
  keep(KEY, tokens);
}

// The prefix of an access token tells whose it is.
export function describe(tokens) {
  const kinds = { cg_aa_: 'Anonymous session', cg_ca_: 'Customer session', cg_ob_: 'On behalf of a customer' };
  return kinds[tokens.accessToken?.slice(0, 6)] ?? 'No token yet';
}
