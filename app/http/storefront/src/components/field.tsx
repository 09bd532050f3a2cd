// One field of a form with its label, its hint, and what is wrong with it.
import { type InputHTMLAttributes, type ReactNode, useId } from 'react';
import { useErrorText } from '../errors.ts';
import { useTexts } from '../texts/texts.tsx';
import { useForm } from './form.tsx';

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'name'> {
  label: string;
  name: string;
  /** Where the gateway finds it inside `input`, if that is not its name: `customerDetails.firstName`. */
  path?: string;
  hint?: ReactNode;
  /** The choices of a list, each with its value and what is shown. */
  options?: readonly (readonly [value: string, shown: string])[];
  /** Several lines. */
  long?: boolean;
}

export function Field({ label, name, path = name, hint, options, long, ...rest }: FieldProps): ReactNode {
  const t = useTexts();
  const id = useId();
  const form = useForm();
  const errorText = useErrorText();
  form.register(path);
  const errors = form.errorsAt(path);
  const remarks = form.remarksAt(path);
  const described = [hint && 'hint', remarks.length && 'remark', errors.length && 'error']
    .filter(Boolean)
    .map((part) => `${id}-${part}`)
    .join(' ');
  const attributes = {
    ...(rest as object),
    id,
    name,
    'data-path': path,
    'aria-invalid': errors.length > 0 || undefined,
    'aria-describedby': described || undefined,
    'aria-required': rest.required || undefined,
  };
  if (rest.type === 'checkbox') {
    return (
      <div className="check">
        <input {...attributes} type="checkbox" />
        <label htmlFor={id}>{label}</label>
        {hint && <span className="hint" id={`${id}-hint`}>{hint}</span>}
      </div>
    );
  }
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {rest.required === false && <i>{t.form.optional}</i>}
      </label>
      {options ? (
        <select {...attributes}>
          {options.map(([value, shown]) => (
            <option key={value} value={value}>{shown}</option>
          ))}
        </select>
      ) : long ? (
        <textarea {...attributes} rows={3} />
      ) : (
        <input {...attributes} />
      )}
      {hint && <span className="hint" id={`${id}-hint`}>{hint}</span>}
      {remarks.length > 0 && (
        <span className="remark" id={`${id}-remark`}>
          {remarks.map((remark) => t.remarks[remark.code] ?? errorText(remark)).join(' ')}
        </span>
      )}
      {errors.length > 0 && (
        <span className="error" id={`${id}-error`}>
          {errors.map(errorText).join(' ')}
        </span>
      )}
    </div>
  );
}
