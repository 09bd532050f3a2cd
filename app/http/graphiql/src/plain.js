// The page for machines without Node.js: the same journey, without GraphiQL.
import { base } from './base.js';
import { makeFetcher } from './fetcher.js';
import { currentTokens, describe } from './tokens.js';

const element = (id) => document.getElementById(id);
const showTokens = () => {
  element('who').textContent = describe(currentTokens());
};
const fetcher = makeFetcher(showTokens);

function show({ query, variables }) {
  element('query').value = query;
  element('variables').value = JSON.stringify(variables, null, 2);
}

async function run() {
  try {
    const variables = JSON.parse(element('variables').value || '{}');
    const answer = await fetcher({ query: element('query').value, variables });
    element('answer').textContent = JSON.stringify(answer, null, 2);
  } catch (error) {
    element('answer').textContent = String(error);
  }
}

const journey = await (await fetch(`${base}/playground/journey.json`)).json();
for (const step of journey) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = step.name;
  button.addEventListener('click', () => show(step));
  element('steps').append(button);
}
element('run').addEventListener('click', run);
show(journey[0]);
showTokens();
