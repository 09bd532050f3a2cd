// Fills in variables by the rules of journey.json: from earlier answers, tokens and mails. Of several, the last counts.
import { base } from './base.js';
import { journey } from './steps.js';
import { digitsOf } from './totp.js';

const KNOWN = 'customer-gateway:known';
const FILLED = 'customer-gateway:filled';
const TOTP = 'totp.';

const asList = (rule) => [rule].flat();
const storedAs = (source) => (source.startsWith(TOTP) ? source.slice(TOTP.length) : source);
const sources = new Set(
  journey.steps.flatMap(({ fill = {} }) => Object.values(fill).flatMap(asList)).map(storedAs),
);
const read = (key) => new Map(JSON.parse(sessionStorage.getItem(key) ?? '[]'));
const write = (key, map) => sessionStorage.setItem(key, JSON.stringify([...map]));

export const takesMail = (step) =>
  journey.mailbox && Object.values(step?.fill ?? {}).flatMap(asList).some((source) => source.startsWith('mail.'));

// Takes from an answer what a rule names, and says whether anything is new.
export function tell(values) {
  const known = read(KNOWN);
  let isNew = false;
  for (const source of sources) {
    const value = find(values, source);
    if (value !== undefined && value !== null && known.get(source) !== value) {
      known.delete(source); // so that it comes last
      known.set(source, value);
      isNew = true;
    }
  }
  write(KNOWN, known);
  return isNew;
}

// Takes what was mailed: the newest link to each page.
export async function tellMails() {
  const { links } = await (await fetch(`${base}/dev/mail/latest.json`)).json();
  const mail = {};
  for (const [name, path] of Object.entries(journey.pages)) {
    mail[name] = links.find(({ page }) => page.endsWith(path));
  }
  return tell({ mail });
}

// Returns the variables with what is known; what somebody has written stays, unless it is `forced`.
export async function fill(step, variables, forced = false) {
  const known = read(KNOWN);
  const filled = read(FILLED);
  const result = structuredClone(variables);
  for (const [path, rule] of Object.entries(step.fill ?? {})) {
    const last = [...known.keys()].findLast((name) => asList(rule).some((source) => storedAs(source) === name));
    const now = find(result, path);
    const isOurs = [find(step.variables, path), filled.get(`${step.operation} ${path}`)].includes(now);
    if (last === undefined || now === undefined || !(isOurs || forced)) {
      continue;
    }
    const value = asList(rule).includes(TOTP + last) ? await digitsOf(known.get(last)) : known.get(last);
    if (value !== null) {
      put(result, path, value);
      filled.set(`${step.operation} ${path}`, value);
    }
  }
  write(FILLED, filled);
  return result;
}

function find(values, path) {
  return path.split('.').reduce((value, name) => value?.[name], values);
}

function put(values, path, value) {
  const way = path.split('.');
  const last = way.pop();
  way.reduce((inner, name) => inner[name], values)[last] = value;
}
