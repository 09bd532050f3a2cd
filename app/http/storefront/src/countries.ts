// Every country that an address can be in, by its name in the reader's language.
import codes from './countries.json' with { type: 'json' };

export type Option = readonly [value: string, shown: string];
const made = new Map<string, readonly Option[]>();

/** Return the code and the name of each, in the order of the names. */
export function countriesIn(language: string): readonly Option[] {
  const before = made.get(language);
  if (before) return before;
  const names = new Intl.DisplayNames([language], { type: 'region' });
  const { compare } = new Intl.Collator(language);
  const countries = codes
    .map((code): Option => [code, names.of(code) ?? code])
    .toSorted(([, one], [, other]) => compare(one, other));
  made.set(language, countries);
  return countries;
}
