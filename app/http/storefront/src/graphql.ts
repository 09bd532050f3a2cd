// Types every operation from schema.graphql, without a word of generated code in the page.
import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.d.ts';

export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { JSON: unknown; DateTime: string; Date: string };
}>();

export type { ResultOf, VariablesOf } from 'gql.tada';
