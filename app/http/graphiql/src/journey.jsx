// The list of operations in the sidebar. Who chooses one gets it in a tab, and its documentation below the list.
import { DocExplorer, useDocExplorerActions } from '@graphiql/plugin-doc-explorer';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { parse } from 'graphql';
import { useEffect, useState } from 'react';

import { groups, nameOf, stepOf, steps, textOf } from './steps.js';

const CHOSEN = 'customer-gateway:chosen';

function JourneyIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.7" aria-hidden="true">
      <circle cx="5.5" cy="5.5" r="2.5" />
      <circle cx="18.5" cy="18.5" r="2.5" />
      <path d="M8 5.5h7a3.25 3.25 0 0 1 0 6.5H9a3.25 3.25 0 0 0 0 6.5h7" />
    </svg>
  );
}

function useOpen() {
  const tabs = useGraphiQL((state) => state.tabs);
  const active = useGraphiQL((state) => state.activeTabIndex);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const { addTab, changeTab, updateActiveTabValues } = useGraphiQLActions();
  return ({ query, variables, operation }) => {
    const index = tabs.findIndex((tab) => nameOf(tab.query) === operation);
    if (index === -1) {
      addTab();
      queryEditor.setValue(query);
      variableEditor.setValue(textOf(variables));
      updateActiveTabValues({ query, variables: textOf(variables), operationName: operation });
    } else if (index !== active) {
      changeTab(index);
    }
  };
}

function useDocumentationOf(step) {
  const schema = useGraphiQL((state) => state.schema);
  const { push, reset } = useDocExplorerActions();
  useEffect(() => {
    if (!schema || !step) {
      return;
    }
    const { operation, selectionSet } = parse(step.query).definitions[0];
    const type = operation === 'query' ? schema.getQueryType() : schema.getMutationType();
    const field = type.getFields()[selectionSet.selections[0].name.value];
    reset();
    push({ name: type.name, def: type });
    push({ name: field.name, def: field });
  }, [schema, step, push, reset]);
}

function scrollTo(selector) {
  document.querySelector(selector)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function Journey() {
  const query = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.query);
  const opened = stepOf(query);
  const [chosen, choose] = useState(() => Number(sessionStorage.getItem(CHOSEN) ?? 0));
  // The same operation may come several times.
  const current = steps[chosen].operation === opened?.operation ? steps[chosen] : opened;
  const [shown, show] = useState(current?.group ?? groups[0]);
  const open = useOpen();
  useDocumentationOf(opened);
  useEffect(() => {
    if (current) {
      show(current.group);
      scrollTo('.graphiql-tab-active');
    }
  }, [current]);
  useEffect(() => scrollTo('.journey [aria-current]'), [current, shown]);

  const go = (step) => {
    sessionStorage.setItem(CHOSEN, step.index);
    choose(step.index);
    open(step);
  };
  const next = steps[(current ?? steps[chosen]).index + 1];
  return (
    <div className="journey">
      <nav aria-label="The journey">
        <div className="journey-title">The journey</div>
        {groups.map((group) => (
          <details key={group} open={group === shown}>
            <summary
              onClick={(event) => {
                event.preventDefault();
                show(group === shown ? null : group);
              }}
            >
              {group}
            </summary>
            <ul>
              {steps
                .filter((step) => step.group === group)
                .map((step) => (
                  <li key={step.index}>
                    <button type="button" aria-current={step === current ? 'step' : undefined} onClick={() => go(step)}>
                      {step.name}
                      {step.isAgain && <small> again</small>}
                    </button>
                  </li>
                ))}
            </ul>
          </details>
        ))}
      </nav>
      {next && (
        <button type="button" className="journey-next" onClick={() => go(next)}>
          Next: {next.name}
        </button>
      )}
      <div className="journey-docs">
        <DocExplorer />
      </div>
    </div>
  );
}

export const JOURNEY = { title: 'The journey', icon: JourneyIcon, content: Journey };
