// Which fields an address has in a country, in the order of an envelope there.
import { useQuery } from 'urql';
import { type ResultOf, graphql } from './graphql.ts';

const Rules = graphql(`
  query AddressRules($country: String!) {
    addressRules(country: $country) {
      requiredFields format zipCodePattern zipCodeExamples
      states { code name latinName }
    }
  }
`);
export type AddressRules = NonNullable<ResultOf<typeof Rules>['addressRules']>;

// Those of most countries, until the answer is there.
const USUAL: AddressRules = {
  requiredFields: ['contactName', 'street', 'city'],
  format: '{contactName}\n{companyName}\n{street}\n{zipCode} {city}',
  zipCodePattern: null,
  zipCodeExamples: [],
  states: [],
};

export function useAddressRules(country: string): AddressRules {
  const [{ data }] = useQuery({ query: Rules, variables: { country }, requestPolicy: 'cache-first' });
  return data?.addressRules ?? USUAL;
}

/** Return the lines of the form: the fields of each line of the envelope, the street with its number. */
export function linesOf(rules: AddressRules): string[][] {
  return rules.format
    .split('\n')
    .map((line) => [...line.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''))
    .map((names) => names.flatMap((name) => (name === 'street' ? ['street', 'streetNumber'] : [name])))
    .filter((names) => names.length > 0);
}
