// The words of the page in the reader's language: English or German, by the browser or by the switch in the header.
import { type ReactNode, createContext, use, useCallback, useState } from 'react';
import { config } from '../config.ts';
import { keptByBrowser } from '../kept.ts';
import type { Texts } from './en.ts';

export type { Texts } from './en.ts';
export type Language = 'en' | 'de';

const KEY = 'storefront:language';
const FILES: Record<Language, () => Promise<Texts>> = {
  en: async () => (await import('./en.ts')).texts,
  de: async () => (await import('./de.ts')).texts,
};
const read: Partial<Record<Language, Texts>> = {};

interface Speech {
  language: Language;
  texts: Texts;
  choose: (language: Language) => Promise<void>;
}
const Speaking = createContext<Speech | null>(null);

/** Load the words of the language to begin with. */
export async function loadTexts(language = firstLanguage()): Promise<void> {
  read[language] ??= await FILES[language]();
  document.documentElement.lang = language;
}

export function Speaker({ children }: { children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState(firstLanguage);
  const choose = useCallback(async (chosen: Language) => {
    await loadTexts(chosen);
    keptByBrowser.setItem(KEY, chosen);
    setLanguage(chosen);
  }, []);
  const texts = read[language];
  return texts ? <Speaking value={{ language, texts, choose }}>{children}</Speaking> : null;
}

export function useSpeech(): Speech {
  const speech = use(Speaking);
  if (!speech) throw new Error('There is no Speaker around this.');
  return speech;
}

export const useTexts = (): Texts => useSpeech().texts;

/** Return what writes a time as the reader does. */
export function useMoment(): (time: string) => string {
  const { language } = useSpeech();
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  return (time) => format.format(new Date(time));
}

function firstLanguage(): Language {
  const chosen = keptByBrowser.getItem(KEY);
  const wanted = chosen ?? (config.siteLanguage.startsWith('de') ? 'de' : navigator.language);
  return wanted.startsWith('de') ? 'de' : 'en';
}
