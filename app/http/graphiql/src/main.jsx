// The page: GraphiQL with the customer's journey in its sidebar, and the first operations in tabs.
import { DOC_EXPLORER_PLUGIN } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import { useMemo, useReducer } from 'react';
import { createRoot } from 'react-dom/client';

import { makeFetcher } from './fetcher.js';
import { JOURNEY } from './journey.jsx';
import './page.css';
import { Session } from './session.jsx';
import { groups, steps, textOf } from './steps.js';

const BEGUN_WITH = 'customer-gateway:begun-with';

const tabs = steps
  .filter(({ group }) => group === groups[0])
  .map(({ query, variables }) => ({ query, variables: textOf(variables) }));

// Tabs that were kept from another shop would begin with a client that is not there any more.
if (sessionStorage.getItem(BEGUN_WITH) !== tabs[0].variables) {
  sessionStorage.clear();
  sessionStorage.setItem(BEGUN_WITH, tabs[0].variables);
}

const plugins = [JOURNEY, HISTORY_PLUGIN];

function Page() {
  const [answers, note] = useReducer((count) => count + 1, 0);
  const fetcher = useMemo(() => makeFetcher(note), []);
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      visiblePlugin={JOURNEY}
      defaultTabs={tabs}
      initialQuery={tabs[0].query}
      initialVariables={tabs[0].variables}
      storage={sessionStorage}
      defaultEditorToolsVisibility="variables"
      isHeadersEditorEnabled
    >
      <GraphiQL.Logo>Customer Gateway</GraphiQL.Logo>
      <GraphiQL.Footer>
        <Session answers={answers} onChange={note} />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

createRoot(document.getElementById('graphiql')).render(<Page />);
