// The field for a new password, with the shop's rule.
import type { ReactNode } from 'react';
import { useSession } from '../gateway.tsx';
import { useTexts } from '../texts/texts.tsx';
import { Field } from './field.tsx';

export function NewPasswordField({ name = 'password', path = name }: { name?: string; path?: string }): ReactNode {
  const t = useTexts();
  const { shop } = useSession();
  const least = shop?.passwordRules.minLength;
  return (
    <Field
      label={t.fields.newPassword}
      name={name}
      path={path}
      type="password"
      autoComplete="new-password"
      hint={least ? t.fields.passwordRule(least) : undefined}
      required
    />
  );
}
