// The page for machines without Node.js: the same journey, without GraphiQL.
import { makeFetcher } from './fetcher.js';
import { fill, takesMail, tellMails } from './fill.js';
import { getStaffToken, staffToken } from './staff.js';
import { groups, journey, stepOf, steps } from './steps.js';
import { currentTokens, describe } from './tokens.js';

const element = (id) => document.getElementById(id);

function showTokens() {
  const isStaff = stepOf(element('query').value)?.token === 'staff';
  const staff = staffToken() ? 'Staff token' : 'No staff token yet';
  element('who').textContent = isStaff ? staff : describe(currentTokens());
  element('staff').hidden = !isStaff || !journey.staff;
}
const fetcher = makeFetcher(showTokens);

const write = (variables) => {
  element('variables').value = JSON.stringify(variables, null, 2);
};

async function show(step) {
  element('query').value = step.query;
  element('mail').hidden = !takesMail(step);
  write(step.variables);
  showTokens();
  if (takesMail(step)) {
    await tellMails();
  }
  write(await fill(step, step.variables, true));
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

function button(step) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = step.name;
  made.addEventListener('click', () => show(step));
  return made;
}

for (const group of groups) {
  const list = document.createElement('details');
  const title = document.createElement('summary');
  title.textContent = group;
  list.open = group === groups[0];
  list.append(title, ...steps.filter((step) => step.group === group).map(button));
  element('steps').append(list);
}
element('run').addEventListener('click', run);
element('mail').addEventListener('click', () => show(stepOf(element('query').value)));
element('staff').addEventListener('click', () => getStaffToken().then(showTokens));
show(steps[0]);
