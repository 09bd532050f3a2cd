// What has happened in the account, the newest first, put together from what the gateway tells a customer.
import type { ReactNode } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { type ResultOf, graphql } from '../graphql.ts';
import { type Texts, useMoment, useTexts } from '../texts/texts.tsx';

const Activity = graphql(`
  query Activity {
    me {
      id lastLoginAt
      metadata { createdAt updatedAt }
      signInMethods { passwordSince passkeys { id name createdAt lastUsedAt } }
      anonymizationInfo { status requestedAt canceledAt }
    }
    sessions { id device createdAt lastUsed }
    tokenInfo { authenticatedAt methods }
  }
`);
type Known = ResultOf<typeof Activity>;
type Event = readonly [time: string | null | undefined, what: string];

export default function ActivityPage(): ReactNode {
  const t = useTexts();
  const moment = useMoment();
  return (
    <AccountPage name="activity">
      <Data of={Activity}>
        {(known) => (
          <section className="card">
            <ol className="items">
              {eventsOf(known, t).map(([time, what]) => (
                <li key={`${time} ${what}`}>
                  <span className="what">{what}</span>
                  <time className="quiet small" dateTime={time}>{moment(time)}</time>
                </li>
              ))}
            </ol>
          </section>
        )}
      </Data>
    </AccountPage>
  );
}

function eventsOf({ me, sessions, tokenInfo }: Known, t: Texts): [time: string, what: string][] {
  const events: Event[] = [
    [me?.metadata.createdAt, t.activity.created],
    [me?.metadata.updatedAt, t.activity.updated],
    [me?.lastLoginAt, t.activity.login],
    [me?.signInMethods.passwordSince, t.activity.password],
    [tokenInfo.authenticatedAt, t.activity.proved(tokenInfo.methods.map((method) => t.methods[method]).join(', '))],
    [me?.anonymizationInfo?.requestedAt, t.activity.erasure],
    [me?.anonymizationInfo?.canceledAt, t.activity.kept],
    ...(me?.signInMethods.passkeys ?? []).flatMap(({ name, createdAt, lastUsedAt }): Event[] => [
      [createdAt, t.activity.passkey(name)],
      [lastUsedAt, t.activity.passkeyUsed(name)],
    ]),
    ...sessions.map(({ device, createdAt }): Event => [createdAt, t.activity.session(device ?? t.devices.unknown)]),
  ];
  const dated = events.filter((event): event is [string, string] => Boolean(event[0]));
  return dated.toSorted(([one], [other]) => other.localeCompare(one));
}
