import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { commandsPage, silentProgram } from '../../scripts/lib/commandsPage.ts';
import { FENCE, PAGES, ROOT, samples, textOf } from './manual.ts';

let program: Command;
beforeAll(async () => {
  program = await silentProgram();
});

describe('the manual', () => {
  it('links to pages, files and headings that are there', () => {
    const broken = PAGES.flatMap((page) => {
      const prose = textOf(page)
        .replace(FENCE, '')
        .replace(/`[^`\n]*`/g, '');
      return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && !leads(page, target))
        .map((target) => `${relative(ROOT, page)}: ${target}`);
    });
    expect(broken).toEqual([]);
  });

  it('shows commands and options that there are', () => {
    const all = samples();
    expect(all.length).toBeGreaterThan(100);
    const wrong = all.flatMap(({ page, words }) => {
      const problem = problemOf(words);
      return problem === null ? [] : [`${page}: stint ${words.join(' ')}: ${problem}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe('the page of all commands', () => {
  it('has each of them, those below others too, with its options', async () => {
    const page = await commandsPage();
    const titles = [...page.matchAll(/^## stint (.+)$/gm)].map(([, title]) => title);
    expect(titles).toEqual(expect.arrayContaining(['submit', 'token create', 'service install', 'help']));
    expect(new Set(titles).size).toBe(titles.length);
    expect(page).toMatch(/^ +--vram <SIZE>/m);
  });
});

function leads(page: string, target: string): boolean {
  const [path = '', heading] = target.split('#', 2);
  const file = path === '' ? page : resolve(dirname(page), path);
  if (!existsSync(file)) return false;
  if (heading === undefined) return true;
  return [
    ...textOf(file)
      .replace(FENCE, '')
      .matchAll(/^#+ (.+)$/gm),
  ].some(([, title = '']) => slug(title) === heading);
}

/** As GitHub makes an anchor of a heading. */
const slug = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');

/** null: commander would understand it. */
function problemOf(words: readonly string[]): string | null {
  let command = program;
  for (const [at, word] of words.entries()) {
    if (word === '--') return null;
    const below = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    // A command's own arguments end the search for commands below it.
    if (below && words.slice(0, at).every((before) => !before.startsWith('-'))) {
      command = below;
      continue;
    }
    if (command === program && !word.startsWith('-')) return 'no such command';
    const flag = /^--?[a-z][a-z0-9-]*/i.exec(word)?.[0];
    if (flag === undefined || flag === '-h' || flag === '--help') continue;
    if (!command.options.some(({ long, short }) => long === flag || short === flag))
      return `no option ${flag}`;
  }
  return null;
}
