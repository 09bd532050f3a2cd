// Has the shown queries asked again, when something was changed by another way than a mutation of urql.
import { type Client, type TypedDocumentNode, gql } from 'urql';

/** Ask everything anew that has shown something of this type. */
export function reread(client: Client, typename: string): void {
  const nothing: TypedDocumentNode<unknown, object> = gql`mutation Reread { __typename }`;
  const operation = client.createRequestOperation(
    'mutation',
    { key: Date.now(), query: nothing, variables: {} } as never,
    { additionalTypenames: [typename] },
  );
  client.reexecuteOperation(operation);
}
