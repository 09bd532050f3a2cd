// Shows what a query answers: a word while it is under way, and what went wrong.
import type { ReactNode } from 'react';
import { type AnyVariables, type TypedDocumentNode, useQuery } from 'urql';
import { useErrorText } from '../errors.ts';
import { useTexts } from '../texts/texts.tsx';
import { Notice } from './notice.tsx';

interface DataProps<Data> {
  of: TypedDocumentNode<Data, Record<string, never>>;
  children: (data: Data) => ReactNode;
}

export function Data<Result>({ of, children }: DataProps<Result>): ReactNode {
  const t = useTexts();
  const errorText = useErrorText();
  const [{ data, error }] = useQuery<Result, AnyVariables>({ query: of, variables: {} });
  if (data) return children(data);
  if (error) return <div role="alert"><Notice kind="bad">{errorText(error)}</Notice></div>;
  return <p className="quiet" role="status">{t.loading}</p>;
}
