// The connection to the gateway: one client for the session, urql on top of it for what pages show, and who is here.
import { type Client as Gateway, type EndReason, type Session, createClient, memoryStorage } from 'customer-gateway-client';
import { type ReactNode, createContext, use, useCallback, useEffect, useMemo, useState } from 'react';
import { Client, Provider, type TypedDocumentNode, cacheExchange, fetchExchange, useClient, useQuery } from 'urql';
import { config } from './config.ts';
import { type ResultOf, graphql } from './graphql.ts';
import { recordingFetch } from './record.ts';

const URL_OF_GATEWAY = `${location.origin}${config.base}/graphql`;

const OPTIONS = { clientId: config.clientId, site: config.site, fetch: recordingFetch };
export const gateway: Gateway = createClient({ ...OPTIONS, url: URL_OF_GATEWAY });

/** Return a client with a session of its own, as long as the page is open. */
export function anotherGateway(): Gateway {
  // What tabs share goes by the address: with a fragment, which is never sent, it is another one.
  return createClient({ ...OPTIONS, url: `${URL_OF_GATEWAY}#another`, storage: memoryStorage() });
}

const Shop = graphql(`
  query Shop {
    storefront {
      name
      signupMode
      signInMethods
      passwordRules { minLength }
      socialProviders { id name }
      sites { id language }
    }
  }
`);

interface Visit {
  shop: ResultOf<typeof Shop>['storefront'] | null;
  sessionId: string | null;
  /** Null as long as it is not known. */
  isCustomer: boolean | null;
  /** The password was made by somebody else: nothing works before it is changed. */
  initialPassword: boolean;
  /** Why the session of before has ended. */
  ended: EndReason | null;
  /** Why it cannot be known who is here: the gateway is down, or has begun too many sessions for this address. */
  failure: unknown;
}
const Visiting = createContext<Visit>({
  shop: null,
  sessionId: null,
  isCustomer: null,
  initialPassword: false,
  ended: null,
  failure: null,
});

export const useSession = (): Visit => use(Visiting);

export function GatewayProvider({ children }: { children: ReactNode }): ReactNode {
  const [session, setSession] = useState<Omit<Session, 'accessToken'> | null>(null);
  const [ended, setEnded] = useState<EndReason | null>(null);
  const [failure, setFailure] = useState<unknown>(null);

  useEffect(() => {
    const stops = [
      gateway.on('session', (begun) => {
        setSession(begun);
        if (begun.kind !== 'guest') setEnded(null);
      }),
      gateway.on('sessionEnded', ({ reason }) => {
        setEnded(reason);
        gateway.session().then(setSession, setFailure);
      }),
    ];
    gateway.session().then(setSession, setFailure);
    return () => {
      for (const stop of stops) stop();
    };
  }, []);

  // Another person gets a cache of their own.
  const who = `${session?.id} ${session?.kind}`;
  const client = useMemo(() => makeClient(who), [who]);
  return (
    <Provider value={client}>
      <WithShop session={session} ended={ended} failure={session ? null : failure}>{children}</WithShop>
    </Provider>
  );
}

function makeClient(_who: string): Client {
  return new Client({
    url: URL_OF_GATEWAY,
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetch: gateway.fetch,
    exchanges: [cacheExchange, fetchExchange],
  });
}

interface WithShopProps {
  session: Omit<Session, 'accessToken'> | null;
  ended: EndReason | null;
  failure: unknown;
  children: ReactNode;
}

function WithShop({ session, ended, failure, children }: WithShopProps): ReactNode {
  const [{ data }] = useQuery({ query: Shop, requestPolicy: 'cache-first' });
  const visit = {
    shop: data?.storefront ?? null,
    sessionId: session?.id ?? null,
    isCustomer: session && session.kind !== 'guest',
    initialPassword: session?.initialPassword ?? false,
    ended,
    failure,
  };
  return <Visiting value={visit}>{children}</Visiting>;
}

/** Return what sends an operation: its data, or an error to show. */
export function useSend(): <Data, Variables extends object>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) => Promise<Data> {
  const client = useClient();
  return useCallback(
    async (document, variables) => {
      const { data, error } = await client.mutation(document, variables).toPromise();
      if (error || !data) throw error ?? new Error('The answer is empty.');
      return data;
    },
    [client],
  );
}
