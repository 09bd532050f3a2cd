// Sends an operation with the token at hand; a header of one's own goes before it.
import { base } from './base.js';
import { currentTokens, rememberTokens } from './tokens.js';

export function makeFetcher(onAnswer) {
  return async function fetcher({ query, variables, operationName }, { headers } = {}) {
    const { accessToken, refreshToken } = currentTokens();
    const isIntrospection = operationName === 'IntrospectionQuery';
    const authorization = accessToken && !isIntrospection ? { Authorization: `Bearer ${accessToken}` } : {};
    // Right after a change of tabs, GraphiQL still names the operation of the tab before.
    const name = new RegExp(`\\b${operationName}\\b`).test(query) ? operationName : undefined;
    const response = await fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...authorization, ...headers },
      body: JSON.stringify({ query, operationName: name, variables: fill(variables, { refreshToken }) }),
    });
    const answer = await response.json();
    rememberTokens(answer);
    onAnswer();
    return answer;
  };
}

// Puts the remembered value in the place of "{{refreshToken}}".
function fill(value, known) {
  if (typeof value === 'string') {
    return value.replace(/^\{\{(\w+)\}\}$/, (whole, name) => known[name] ?? whole);
  }
  if (Array.isArray(value)) {
    return value.map((item) => fill(item, known));
  }
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, known)]));
  }
  return value;
}
