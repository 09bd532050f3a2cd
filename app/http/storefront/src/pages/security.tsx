// The ways to log in: passkeys, the second factor, accounts at providers, and a second account here to be joined with this one.
import type { ReactNode } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { useSession } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { MergeAccounts } from '../security/merge.tsx';
import { Passkeys } from '../security/passkeys.tsx';
import { Providers } from '../security/providers.tsx';
import { SecondFactor } from '../security/second-factor.tsx';

const SignInMethods = graphql(`
  query SignInMethods {
    me {
      id
      signInMethods {
        totp recoveryCodesLeft
        passkeys { id name createdAt lastUsedAt backedUp }
        social { id provider email }
      }
    }
  }
`);

export default function SecurityPage(): ReactNode {
  const { shop } = useSession();
  const offered: readonly string[] = shop?.signInMethods ?? [];
  return (
    <AccountPage name="security">
      <Data of={SignInMethods}>
        {({ me }) =>
          me && (
            <>
              {offered.includes('PASSKEY') && <Passkeys passkeys={me.signInMethods.passkeys} />}
              {offered.includes('TOTP') && (
                <SecondFactor isOn={me.signInMethods.totp} codesLeft={me.signInMethods.recoveryCodesLeft} />
              )}
              <Providers accounts={me.signInMethods.social} />
              <MergeAccounts />
            </>
          )
        }
      </Data>
    </AccountPage>
  );
}
