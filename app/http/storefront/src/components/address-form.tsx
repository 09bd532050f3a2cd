// The form of an address, made from the rules of its country.
import { type ReactNode, useRef, useState } from 'react';
import { type AddressRules, linesOf, useAddressRules } from '../address-rules.ts';
import { config } from '../config.ts';
import { countriesIn } from '../countries.ts';
import { useSpeech } from '../texts/texts.tsx';
import { Field } from './field.tsx';
import { Form, type Values } from './form.tsx';
import type { UserError } from 'customer-gateway-client';

const AUTOCOMPLETE: Record<string, string> = {
  contactName: 'name',
  companyName: 'organization',
  street: 'address-line1',
  zipCode: 'postal-code',
  city: 'address-level2',
  state: 'address-level1',
};
// What addresses have in every country, beside the lines of the envelope.
const SINGLE = ['extraLine1', 'contactPhone'];
// What they have not in every country: it goes when the country changes to one without it.
const OF_SOME_COUNTRIES = ['zipCode', 'city', 'state'];
const PURPOSES = ['BILLING', 'SHIPPING'] as const;
export type AddressPurpose = (typeof PURPOSES)[number];

/** An address to change: its texts by their names, and what it is the default for. */
export interface AddressValues {
  texts: Partial<Record<string, string | null>>;
  defaultFor: readonly AddressPurpose[];
}
export type AddressFields = Record<string, string | null | AddressPurpose[]>;

interface AddressFormProps {
  address?: AddressValues;
  submit: string;
  label: string;
  remarks?: readonly UserError[] | undefined;
  run: (input: AddressFields) => Promise<readonly UserError[]>;
}

export function AddressForm({ address, submit, label, remarks, run }: AddressFormProps): ReactNode {
  const { texts: t, language } = useSpeech();
  const [country, setCountry] = useState(address?.texts['country'] || config.country || 'DE');
  const rules = useAddressRules(country);
  // What was typed stays when the country changes, and with it the order of the fields.
  const typed = useRef(new Map<string, string>());
  const lines = linesOf(rules);
  const sent = new Set([...lines.flat(), ...SINGLE, ...OF_SOME_COUNTRIES, 'country']);

  function send(values: Values): Promise<readonly UserError[]> {
    const texts = Object.fromEntries([...sent].map((name) => [name, values[name] || null]));
    return run({ ...texts, defaultFor: PURPOSES.filter((purpose) => values[purpose] === 'on') });
  }

  const fieldOf = (name: string): ReactNode => (
    <AddressField
      key={name}
      name={name}
      rules={rules}
      value={typed.current.get(name) ?? address?.texts[name] ?? ''}
      onType={(text) => typed.current.set(name, text)}
    />
  );

  return (
    <Form submit={submit} label={label} remarks={remarks} run={send}>
      <Field
        label={t.address.country}
        name="country"
        autoComplete="country"
        options={countriesIn(language)}
        value={country}
        onChange={(event) => {
          typed.current.delete('state');
          setCountry(event.currentTarget.value);
        }}
      />
      {lines.map((line) => (
        <div key={line.join()} className={line.length === 2 ? 'pair' : 'stack'}>
          {line.map(fieldOf)}
        </div>
      ))}
      {SINGLE.map(fieldOf)}
      <fieldset className="choices stack">
        <legend>{t.address.useFor}</legend>
        {PURPOSES.map((purpose) => (
          <Field
            key={purpose}
            type="checkbox"
            label={t.address.purposes[purpose]}
            name={purpose}
            defaultChecked={address?.defaultFor.includes(purpose)}
          />
        ))}
      </fieldset>
    </Form>
  );
}

interface AddressFieldProps {
  name: string;
  rules: AddressRules;
  value: string;
  onType: (text: string) => void;
}

function AddressField({ name, rules, value, onType }: AddressFieldProps): ReactNode {
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
        onChange={(event) => onType(event.currentTarget.value)}
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
      onChange={(event) => onType(event.currentTarget.value)}
    />
  );
}
