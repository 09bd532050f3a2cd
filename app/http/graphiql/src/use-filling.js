// Keeps the variables of the operation that is open filled in with what is known.
import { useGraphiQL } from '@graphiql/react';
import { useCallback, useEffect } from 'react';

import { fill, takesMail, tellMails } from './fill.js';
import { stepOf, textOf } from './steps.js';

// A mail is sent a moment after the answer: look again after so many milliseconds.
const LOOKS = [0, 1000, 2000, 4000];

export function useFilling(answers) {
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);

  const fillIn = useCallback(
    async (forced = false) => {
      const step = stepOf(queryEditor?.getValue());
      const written = variableEditor?.getValue();
      if (!step?.fill || written === undefined) {
        return;
      }
      let variables;
      try {
        variables = JSON.parse(written || textOf(step.variables));
      } catch {
        return; // somebody is writing
      }
      const text = textOf(await fill(step, variables, forced));
      // Meanwhile there may be another tab, or other text.
      if (text !== written && variableEditor.getValue() === written && stepOf(queryEditor.getValue()) === step) {
        variableEditor.setValue(text);
      }
    },
    [queryEditor, variableEditor],
  );

  useEffect(() => {
    fillIn();
    if (!takesMail(stepOf(queryEditor?.getValue()))) {
      return undefined;
    }
    const looks = LOOKS.map((wait) => setTimeout(async () => (await tellMails()) && fillIn(), wait));
    return () => looks.forEach(clearTimeout);
  }, [fillIn, queryEditor, tab, answers]);

  return fillIn;
}
