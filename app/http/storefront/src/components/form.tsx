// A form that sends one operation: it shows what is wrong beside each field, and asks who it is where the gateway wants to know.
import { type FormEvent, type ReactNode, createContext, use, useEffect, useId, useRef, useState } from 'react';
import { useErrorText } from '../errors.ts';
import type { UserError } from 'customer-gateway-client';
import { useProof } from '../proof.tsx';
import { useTexts } from '../texts/texts.tsx';
import { Notice } from './notice.tsx';

/** What was typed, by the name of the field: texts without blanks at the ends, passwords as they are. */
export type Values = Record<string, string>;

interface FormState {
  errorsAt: (path: string) => readonly UserError[];
  remarksAt: (path: string) => readonly UserError[];
  register: (path: string) => void;
}
const InForm = createContext<FormState>({ errorsAt: () => [], remarksAt: () => [], register: () => undefined });
export const useForm = (): FormState => use(InForm);

const NOTHING: readonly UserError[] = [];

interface FormProps {
  /** Send it; return what is wrong, or nothing. */
  run: (values: Values) => Promise<readonly UserError[] | void>;
  submit: ReactNode;
  children?: ReactNode;
  /** What was stored, but looks wrong: the keyboard goes to the first of these fields. */
  remarks?: readonly UserError[] | undefined;
  /** What is said when all went well. */
  done?: ReactNode;
  /** Empty the fields when all went well. */
  clears?: boolean;
  kind?: 'plain' | 'danger' | 'plain wide' | 'plain slim';
  label?: string;
}

export function Form({ run, submit, children, remarks = NOTHING, done, clears, kind, label }: FormProps): ReactNode {
  const t = useTexts();
  const prove = useProof();
  const errorText = useErrorText();
  const [errors, setErrors] = useState<readonly UserError[]>([]);
  const [failure, setFailure] = useState('');
  const [state, setState] = useState<'idle' | 'sending' | 'done'>('idle');
  const fields = useRef(new Set<string>());
  const summary = useId();
  const element = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (element.current && remarks.length) focusFirst(element.current, remarks);
  }, [remarks]);

  async function send(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (state === 'sending') return;
    const form = event.currentTarget;
    setState('sending');
    setErrors([]);
    setFailure('');
    try {
      const wrong = (await prove(() => run(valuesOf(form)))) ?? [];
      setErrors(wrong);
      setState(wrong.length ? 'idle' : 'done');
      if (wrong.length) focusFirst(form, wrong);
      else if (clears) form.reset();
    } catch (error) {
      setFailure(errorText(error));
      setState('idle');
    }
  }

  const others = errors.filter((error) => !fields.current.has(pathOf(error)));
  const says = failure ? [failure] : others.map(errorText);
  return (
    <InForm
      value={{
        errorsAt: (path) => errors.filter((error) => pathOf(error) === path),
        remarksAt: (path) => remarks.filter((remark) => pathOf(remark) === path),
        register: (path) => fields.current.add(path),
      }}
    >
      <form ref={element} className="form" noValidate onSubmit={(event) => void send(event)} aria-label={label}>
        <div role="alert" id={summary}>
          {says.length > 0 && (
            <Notice kind="bad">
              {says.map((text) => (
                <p key={text}>{text}</p>
              ))}
            </Notice>
          )}
          {says.length === 0 && errors.length > 0 && <Notice kind="bad">{t.form.lookAgain}</Notice>}
        </div>
        {children}
        <div className="row">
          <button className={`button ${kind ?? ''}`} aria-disabled={state === 'sending'}>
            {state === 'sending' ? t.form.sending : submit}
          </button>
        </div>
        <div role="status">{state === 'done' && done && <Notice kind="good">{done}</Notice>}</div>
      </form>
    </InForm>
  );
}

const pathOf = (error: UserError): string => (error.field ?? []).join('.');

function valuesOf(form: HTMLFormElement): Values {
  const values: Values = {};
  for (const [name, value] of new FormData(form)) {
    const isSecret = (form.elements.namedItem(name) as HTMLInputElement | null)?.type === 'password';
    values[name] = isSecret ? String(value) : String(value).trim();
  }
  return values;
}

/** Put the keyboard to the first field that is wrong; the one that the first error names may stand further below. */
function focusFirst(form: HTMLFormElement, errors: readonly UserError[]): void {
  const wrong = new Set(errors.map(pathOf));
  const fields = [...form.elements].filter((field) => wrong.has(field.getAttribute('data-path') ?? ''));
  (fields[0] as HTMLElement | undefined)?.focus();
}
