// The form of an address, made from the rules of its country.
import { type ReactNode, useState } from 'react';
import { type AddressRules, linesOf, useAddressRules } from '../address-rules.ts';
import { config } from '../config.ts';
import { useSpeech } from '../texts/texts.tsx';
import { Field } from './field.tsx';
import { Form, type Values } from './form.tsx';
import type { UserError } from 'customer-gateway-client';

const COUNTRIES = ['AT', 'AU', 'BE', 'BR', 'CA', 'CH', 'CN', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'HK', 'IE', 'IN', 'IT']
  .concat(['JP', 'KR', 'LU', 'MX', 'NL', 'NO', 'NZ', 'PL', 'PT', 'SE', 'SG', 'TR', 'TW', 'US', 'ZA', 'AE']);
const AUTOCOMPLETE: Record<string, string> = {
  contactName: 'name',
  companyName: 'organization',
  street: 'address-line1',
  zipCode: 'postal-code',
  city: 'address-level2',
  state: 'address-level1',
};
// What an envelope does not show, or what a country does not have.
const SINGLE = ['extraLine1', 'contactPhone'];

export type AddressValues = Partial<Record<string, string | null>>;

interface AddressFormProps {
  address?: AddressValues;
  submit: string;
  label: string;
  run: (input: Record<string, string | null>) => Promise<readonly UserError[]>;
}

export function AddressForm({ address, submit, label, run }: AddressFormProps): ReactNode {
  const { texts: t, language } = useSpeech();
  const [country, setCountry] = useState(address?.['country'] || config.country || 'DE');
  const rules = useAddressRules(country);
  const names = new Intl.DisplayNames([language], { type: 'region' });
  const countries = [...new Set([...COUNTRIES, country])]
    .map((code) => [code, names.of(code) ?? code] as const)
    .toSorted(([, one], [, other]) => one.localeCompare(other, language));
  const lines = linesOf(rules);
  const asked = [...lines.flat(), ...SINGLE, 'country'];

  function send(values: Values): Promise<readonly UserError[]> {
    return run(Object.fromEntries(asked.map((name) => [name, values[name] || null])));
  }

  return (
    <Form submit={submit} label={label} run={send}>
      <Field
        label={t.address.country}
        name="country"
        autoComplete="country"
        options={countries}
        value={country}
        onChange={(event) => setCountry(event.currentTarget.value)}
      />
      {lines.map((line) => (
        <div key={line.join()} className={line.length === 2 ? 'pair' : 'stack'}>
          {line.map((name) => (
            <AddressField key={name} name={name} rules={rules} value={address?.[name] ?? ''} />
          ))}
        </div>
      ))}
      {SINGLE.map((name) => (
        <AddressField key={name} name={name} rules={rules} value={address?.[name] ?? ''} />
      ))}
    </Form>
  );
}

interface AddressFieldProps {
  name: string;
  rules: AddressRules;
  value: string;
}

function AddressField({ name, rules, value }: AddressFieldProps): ReactNode {
  const { texts: t } = useSpeech();
  const label = t.address.fields[name] ?? name;
  const required = rules.requiredFields.includes(name);
  if (name === 'state' && rules.states.length > 0) {
    const known = rules.states.find(({ code, name: own, latinName }) => [code, own, latinName].includes(value));
    const options = rules.states.map(({ code, name: own, latinName }) => [code, own === latinName ? own : `${own} (${latinName})`] as const);
    return (
      <Field
        key={rules.format}
        label={label}
        name={name}
        defaultValue={known?.code ?? ''}
        options={[['', t.address.choose], ...options]}
        required={required}
      />
    );
  }
  const example = name === 'zipCode' ? rules.zipCodeExamples[0] : undefined;
  return (
    <Field
      label={label}
      name={name}
      defaultValue={value}
      autoComplete={AUTOCOMPLETE[name] ?? (name === 'contactPhone' ? 'tel' : 'off')}
      type={name === 'contactPhone' ? 'tel' : 'text'}
      hint={example ? t.address.example(example) : undefined}
      required={required}
    />
  );
}
