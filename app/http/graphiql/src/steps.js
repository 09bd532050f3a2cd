// The operations of journey.json, which the server tells when the page is loaded.
import { base } from './base.js';

export const journey = await (await fetch(`${base}/playground/journey.json`)).json();
export const steps = journey.steps.map((step, index) => ({
  ...step,
  index,
  operation: nameOf(step.query),
  isAgain: journey.steps.findIndex(({ query }) => query === step.query) < index,
}));
export const groups = [...new Set(steps.map(({ group }) => group))];

// Returns the name of the first operation in a document.
export function nameOf(query) {
  return /^\s*(?:query|mutation)\s+(\w+)/m.exec(query ?? '')?.[1];
}

export function stepOf(query) {
  const name = nameOf(query);
  return name && steps.find(({ operation }) => operation === name);
}

export function textOf(variables) {
  return Object.keys(variables).length ? JSON.stringify(variables, null, 2) : '';
}
