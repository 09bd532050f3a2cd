// Which fields an address has in a country, in the order of an envelope there.
import { useEffect, useState } from 'react';
import { gateway } from './gateway.tsx';

export interface AddressRules {
  requiredFields: readonly string[];
  format: string;
  zipCodePattern: string | null;
  zipCodeExamples: readonly string[];
  states: readonly { code: string; name: string; latinName: string }[];
}

const DEFAULT: AddressRules = {
  requiredFields: ['contactName', 'street', 'city'],
  format: '{contactName}\n{companyName}\n{street}\n{zipCode} {city}\n{state}',
  zipCodePattern: null,
  zipCodeExamples: [],
  states: [],
};
const RULES = `query AddressRules($country: String!) {
  addressRules(country: $country) {
    requiredFields format zipCodePattern zipCodeExamples
    states { code name latinName }
  }
}`;

/** Return the rules of a country; those of most countries until they are there. */
export function useAddressRules(country: string): AddressRules {
  const [known, setKnown] = useState<Record<string, AddressRules>>({});
  useEffect(() => {
    let isOver = false;
    gateway
      .request<{ addressRules: AddressRules }>(RULES, { country })
      .then(({ addressRules }) => !isOver && setKnown((before) => ({ ...before, [country]: addressRules })))
      .catch(() => undefined);
    return () => {
      isOver = true;
    };
  }, [country]);
  return known[country] ?? DEFAULT;
}

/** Return the lines of the form: the fields of each line of the envelope, the street with its number. */
export function linesOf(rules: AddressRules): string[][] {
  return rules.format
    .split('\n')
    .map((line) => [...line.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''))
    .map((names) => names.flatMap((name) => (name === 'street' ? ['street', 'streetNumber'] : [name])))
    .filter((names) => names.length > 0);
}
