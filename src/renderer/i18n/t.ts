import i18next from 'i18next';
import { zhCN } from './zhCN.ts';

/** Languages of the console, as BCP 47 names them, each in its own words. */
export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const STORED_AS = 'stint.language';

/** As the person chose, else as the browser is set. */
function chosen(): Language {
  if (typeof localStorage === 'undefined') return 'en';
  const stored = localStorage.getItem(STORED_AS);
  if (stored !== null && stored in LANGUAGES) return stored as Language;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

/** What the console speaks for as long as the page is open. */
export const language = chosen();

/** For dates and numbers: the reader's own English, or Chinese. */
export const locale = language === 'en' ? undefined : language;

// The English text is the key, so that it stands where it is said, and what is not translated is at least said.
i18next.init({
  lng: language,
  resources: { 'zh-CN': { translation: zhCN } },
  fallbackLng: false,
  keySeparator: false,
  nsSeparator: false,
  initAsync: false,
});

/** What was said once: looking a text up costs more than drawing it. */
const known = new Map<string, string>();

function translate(text: string): string {
  let translated = known.get(text);
  if (translated === undefined) {
    translated = i18next.t(text, { skipInterpolation: true });
    known.set(text, translated);
  }
  return translated;
}

/**
 * The text in the console's language.
 * @param values for `{{name}}`. They are put in as they are: a job may be called `$t(x)` or `{{y}}`.
 */
export function t(text: string, values: Readonly<Record<string, unknown>> = {}): string {
  const translated = translate(text);
  if (!translated.includes('{{')) return translated;
  return translated.replace(/\{\{(\w+)\}\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  );
}

/** Remembers the language and starts the page in it. */
export function speak(to: Language): void {
  localStorage.setItem(STORED_AS, to);
  location.reload();
}
