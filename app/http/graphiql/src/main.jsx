// The page: GraphiQL with the customer's journey in its tabs, which the server tells when the page is loaded.
import { base } from './base.js';
import { GraphiQL } from 'graphiql';
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import { useMemo, useReducer } from 'react';
import { createRoot } from 'react-dom/client';

import { makeFetcher } from './fetcher.js';
import './page.css';
import { currentTokens, describe, forgetTokens } from './tokens.js';

const BEGUN_WITH = 'customer-gateway:begun-with';

const journey = await (await fetch(`${base}/playground/journey.json`)).json();
const tabs = journey.map(({ query, variables }) => ({
  query,
  variables: Object.keys(variables).length ? JSON.stringify(variables, null, 2) : '',
}));

// Tabs that were kept from another shop would begin with a client that is not there any more.
if (sessionStorage.getItem(BEGUN_WITH) !== tabs[0].variables) {
  sessionStorage.clear();
  sessionStorage.setItem(BEGUN_WITH, tabs[0].variables);
}

function Page() {
  const [, showTokens] = useReducer((count) => count + 1, 0);
  const fetcher = useMemo(() => makeFetcher(showTokens), []);
  const tokens = currentTokens();
  const forget = () => {
    forgetTokens();
    showTokens();
  };
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={tabs}
      initialQuery={tabs[0].query}
      initialVariables={tabs[0].variables}
      storage={sessionStorage}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled
    >
      <GraphiQL.Logo>Customer Gateway</GraphiQL.Logo>
      <GraphiQL.Footer>
        <div className="session" data-kind={tokens.accessToken?.slice(0, 6) ?? 'none'}>
          <span className="who">{describe(tokens)}</span>
          {tokens.sessionId && <code>{tokens.sessionId}</code>}
          {tokens.accessToken && (
            <button type="button" onClick={forget}>
              Forget the token
            </button>
          )}
          <a href={`${base}/dev/mail`} target="_blank" rel="noreferrer">
            Mailbox
          </a>
        </div>
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

createRoot(document.getElementById('graphiql')).render(<Page />);
