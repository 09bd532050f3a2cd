// The token of the shop's backend, which the operations of the staff run with.
import { base } from './base.js';
import { journey } from './steps.js';

const KEY = 'customer-gateway:staff-token';

export const staffToken = () => sessionStorage.getItem(KEY);

// Gets one with the demo's credentials, which everybody knows.
export async function getStaffToken() {
  const { clientId, clientSecret } = journey.staff;
  const response = await fetch(`${base}/oauth/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.error_description ?? answer.error);
  }
  sessionStorage.setItem(KEY, answer.access_token);
}
