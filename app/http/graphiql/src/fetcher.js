// Sends an operation with the token at hand; a header of one's own goes before it.
import { base } from './base.js';
import { tell } from './fill.js';
import { staffToken } from './staff.js';
import { stepOf } from './steps.js';
import { currentTokens, earlierTokens, rememberTokens } from './tokens.js';

export function makeFetcher(onAnswer) {
  return async function fetcher({ query, variables, operationName }, { headers } = {}) {
    const token = stepOf(query)?.token === 'staff' ? staffToken() : currentTokens().accessToken;
    const isIntrospection = operationName === 'IntrospectionQuery';
    const authorization = token && !isIntrospection ? { Authorization: `Bearer ${token}` } : {};
    // Right after a change of tabs, GraphiQL still names the operation of the tab before.
    const name = new RegExp(`\\b${operationName}\\b`).test(query) ? operationName : undefined;
    const response = await fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...authorization, ...headers },
      body: JSON.stringify({ query, operationName: name, variables }),
    });
    const answer = await response.json();
    rememberTokens(answer);
    if (!isIntrospection) {
      tell({ ...answer.data, tokens: currentTokens(), earlier: earlierTokens() });
      onAnswer();
    }
    return answer;
  };
}
