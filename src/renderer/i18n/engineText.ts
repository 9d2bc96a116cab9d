import { durationInChinese } from './durationText.ts';
import { ENGINE_ZH_CN } from './engineZhCN.ts';
import { language } from './t.ts';

/**
 * What the engine says comes in English: it is recorded so, read on the command line and by other programs, and years old
 * sentences stay readable. It is made of a few dozen patterns, which hold other parts: `started #{id} {place}`. A reader of
 * another language gets the pattern in that language and its parts likewise; what fits no pattern stays as it came. A test
 * makes the engine say all that it can and fails where something has no translation.
 */
interface Pattern {
  readonly matches: RegExp;
  readonly names: readonly string[];
  readonly translated: string;
}

/** What stands for what: numbers and amounts as the engine writes them; anything else may be anything. */
const KINDS: Readonly<Record<string, string>> = {
  id: '\\d+',
  n: '\\d+',
  size: '[\\d.]+ (?:[KMGT]i?B|bytes)',
  code: '\\d+',
  where: '.*?',
};
const MOST_DEPTH = 6;
const MOST_KNOWN = 5000;

const PATTERNS: readonly Pattern[] = Object.entries(ENGINE_ZH_CN).map(([english, translated]) => {
  const names: string[] = [];
  const source = english
    .split(/(\{\w+\})/)
    .map((piece) => {
      const name = /^\{(\w+)\}$/.exec(piece)?.[1];
      if (name === undefined) return piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      names.push(name);
      return `(${KINDS[name.replace(/\d+$/, '')] ?? '.+?'})`;
    })
    .join('');
  return { matches: new RegExp(`^${source}$`, 's'), names, translated };
});

const known = new Map<string, string>();

/** A sentence of the engine in Simplified Chinese, as far as it is one. */
export function inChinese(text: string, depth = 0): string {
  const before = known.get(text);
  if (before !== undefined) return before;
  let said = durationInChinese(text) ?? text;
  for (const { matches, names, translated } of PATTERNS) {
    const match = matches.exec(text);
    if (match === null) continue;
    const parts = new Map(names.map((name, i) => [name, match[i + 1]!]));
    said = translated.replace(/\{(\w+)\}/g, (_, name: string) => {
      const part = parts.get(name)!;
      return depth < MOST_DEPTH ? inChinese(part, depth + 1) : part;
    });
    break;
  }
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, said);
  return said;
}

/** A sentence of the engine in the console's language. */
export const engineText = (text: string): string => (language === 'zh-CN' ? inChinese(text) : text);
