// Below the answer: whose token the open operation runs with, and the clicks that get one, or what was mailed.
import { useGraphiQL } from '@graphiql/react';
import { useState } from 'react';

import { base } from './base.js';
import { takesMail, tellMails } from './fill.js';
import { getStaffToken, staffToken } from './staff.js';
import { journey, stepOf } from './steps.js';
import { currentTokens, describe, forgetTokens } from './tokens.js';
import { useFilling } from './use-filling.js';

export function Session({ answers, onChange }) {
  const step = stepOf(useGraphiQL((state) => state.tabs[state.activeTabIndex]?.query));
  const fillIn = useFilling(answers);
  const [said, say] = useState('');
  const take = async () => {
    await tellMails();
    await fillIn(true);
    say('');
  };
  const attempt = (action) => async () => {
    try {
      await action();
    } catch (error) {
      say(String(error.message ?? error));
    }
  };
  return (
    <div className="session-area">
      {step?.token === 'staff' ? (
        <Staff onGet={attempt(async () => (await getStaffToken(), say(''), onChange()))} />
      ) : (
        <Shopper onForget={() => (forgetTokens(), onChange())} />
      )}
      {said && <span role="alert">{said}</span>}
      {takesMail(step) && (
        <button type="button" onClick={attempt(take)}>
          Take from the mail
        </button>
      )}
      {journey.mailbox && (
        <a href={`${base}/dev/mail`} target="_blank" rel="noreferrer">
          Mailbox
        </a>
      )}
    </div>
  );
}

function Shopper({ onForget }) {
  const tokens = currentTokens();
  return (
    <div className="session" data-kind={tokens.accessToken?.slice(0, 6) ?? 'none'}>
      <span className="who">{describe(tokens)}</span>
      {tokens.sessionId && <code>{tokens.sessionId}</code>}
      {tokens.accessToken && (
        <button type="button" onClick={onForget}>
          Forget the token
        </button>
      )}
    </div>
  );
}

function Staff({ onGet }) {
  const token = staffToken();
  return (
    <div className="session" data-kind={token ? 'staff' : 'none'}>
      <span className="who">{token ? `Staff token of ${journey.staff?.clientId}` : 'No staff token yet'}</span>
      {journey.staff ? (
        <button type="button" onClick={onGet}>
          Get a staff token
        </button>
      ) : (
        <span>Get one at /oauth/token with the secret of your backend, and put it into Headers.</span>
      )}
    </div>
  );
}
