import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
export const PAGES = [
  join(ROOT, 'README.md'),
  join(ROOT, 'CONTRIBUTING.md'),
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(ROOT, folder, name)),
  ),
];
export const FENCE = /^```[^\n]*\n([\s\S]*?)^```/gm;
export const textOf = (page: string): string => readFileSync(page, 'utf8');

/** Every command of Stint that a block of code shows, in order. */
export const samples = (): { readonly page: string; readonly words: readonly string[] }[] =>
  PAGES.flatMap((page) =>
    [...textOf(page).matchAll(FENCE)].flatMap(([, code = '']) =>
      commandsIn(code).map((words) => ({ page: relative(ROOT, page), words })),
    ),
  );

/** What follows `stint` in a block of code, as words. Only lines and parts that begin with it are commands. */
function commandsIn(code: string): string[][] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => partsOf(line))
    .filter(([first]) => first === 'stint')
    .map((words) => words.slice(1));
}

/** A shell's line as commands of words: quotes keep together, `#` begins a note. */
function partsOf(line: string): string[][] {
  const parts: string[][] = [[]];
  for (const [word] of line.matchAll(/(?:'[^']*'|"[^"]*"|\\.|[^\s'";|&#\\]|(?<=\S)#)+|#.*|;|\|\|?|&&?/g)) {
    if (word.startsWith('#')) break;
    if (/^[;|&]+$/.test(word)) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts;
}
