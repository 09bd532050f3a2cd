// What went wrong, in the reader's language: English as the gateway says it, German by its code.
import { GatewayError, NoAnswer, ReauthenticationRequired, type UserError, UserErrors } from 'customer-gateway-client';
import { CombinedError } from 'urql';
import { useTexts } from './texts/texts.tsx';

/** Return what turns an error into a sentence; of several it takes the first. */
export function useErrorText(): (error: unknown) => string {
  const t = useTexts();
  return (error) => {
    const { code, message, retryAfter } = factsOf(error);
    if (code === 'RATE_LIMITED') return t.errors.wait(Math.max(1, Math.ceil((retryAfter ?? 60) / 60)));
    return t.errors.byCode[code] ?? (message || t.errors.unknown);
  };
}

// What browsers say where a part of the program, as that for passkeys, cannot be loaded.
const NOT_LOADED = /dynamically imported module|module script/i;

interface Facts {
  code: string;
  message: string;
  retryAfter?: number | undefined;
}

function factsOf(error: unknown): Facts {
  if (error instanceof GatewayError) return { code: error.code, message: error.message, retryAfter: error.retryAfter };
  if (error instanceof NoAnswer) return { code: 'NO_ANSWER', message: error.message };
  if (error instanceof UserErrors) return factsOf(error.errors[0]);
  if (error instanceof CombinedError) {
    const first = error.graphQLErrors[0];
    if (!first) return { code: 'NO_ANSWER', message: error.message };
    const { code, retryAfter } = first.extensions as { code?: string; retryAfter?: number };
    return { code: code ?? '', message: first.message, retryAfter };
  }
  if (error instanceof TypeError && NOT_LOADED.test(error.message)) return { code: 'NO_ANSWER', message: error.message };
  if (isUserError(error)) return { code: error.code, message: error.message };
  return { code: (error as Error | null)?.name ?? '', message: (error as Error | null)?.message ?? '' };
}

function isUserError(error: unknown): error is UserError {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' && 'message' in error;
}

/** Return the ways to prove who somebody is, where an error asks for that; or null. */
export function methodsToProve(error: unknown): readonly string[] | null {
  if (error instanceof ReauthenticationRequired) return error.methods;
  const extensions = error instanceof CombinedError ? error.graphQLErrors[0]?.extensions : undefined;
  if (extensions?.['code'] !== 'REAUTHENTICATION_REQUIRED') return null;
  return (extensions['methods'] as string[] | undefined) ?? ['PASSWORD'];
}
