import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScript, SHELLS } from '../../src/cli/completionScript.ts';
import type { Context } from '../../src/cli/context.ts';
import { JSON_SCHEMAS, jsonSchemaOf } from '../../src/cli/jsonSchemas.ts';
import { markdownText } from '../../src/cli/markdownText.ts';
import { createProgram } from '../../src/cli/program.ts';

let program: Command;
let dir: string;

beforeAll(async () => {
  program = await createProgram({} as Context, undefined);
  dir = mkdtempSync(join(tmpdir(), 'stint-completion-'));
  for (const shell of SHELLS) writeFileSync(join(dir, shell), completionScript(shell, program));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** How each shell is asked what could stand at the end of a line. zsh's own part, the menu, is left out. */
const ASK: Readonly<Record<(typeof SHELLS)[number], readonly string[]>> = {
  bash: [
    '-c',
    `source "$1"; shift; COMP_WORDS=(stint "$@"); COMP_CWORD=$#; _stint; printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
  ],
  zsh: [
    '-fc',
    `compdef() { : }; _default() { : }; _files() { : }
_describe() { print -l -- \${\${(P)3}%%:*} }
source "$1"; shift; words=(stint "$@"); CURRENT=$#words
_stint`,
    'zsh',
  ],
  fish: ['--no-config', '-c', 'source $argv[1]; complete -C "stint $argv[2..]"'],
};
const has = (shell: string): boolean => spawnSync(shell, ['--version']).error === undefined;

describe.each(SHELLS)('completion in %s', (shell) => {
  const missing = !has(shell);
  if (missing) console.log(`skipped: completion in ${shell} needs ${shell}, which is not installed`);

  const offered = (...words: string[]): string[] => {
    const ran = spawnSync(shell, [...ASK[shell], join(dir, shell), ...words], { encoding: 'utf8', cwd: dir });
    expect(ran.stderr).toBe('');
    const typed = words.at(-1)!;
    const lines = ran.stdout.split('\n').map((line) => line.split('\t')[0]!);
    return lines.filter((word) => word !== '' && word.startsWith(typed));
  };

  it.skipIf(missing)('knows commands, those below them, and their options', () => {
    expect(offered('tok')).toEqual(['token']);
    expect(offered('token', '')).toEqual(expect.arrayContaining(['create', 'ls', 'revoke']));
    expect(offered('token', '')).not.toContain('submit');
    expect(offered('token', 'create', '--sc')).toEqual(['--scope']);
    expect(offered('add', '--vr')).toEqual(['--vram']);
    expect(offered('submit', '--name', 'ls', '--vr')).toEqual(['--vram']);
    expect(offered('submit', '--', 'python', '--vr')).toEqual([]);
  });
});

describe('schemas', () => {
  it('are of commands that have --json', () => {
    const found: string[] = [];
    const walk = (command: Command, path: string): void => {
      for (const sub of command.commands) {
        const name = `${path} ${sub.name()}`.trim();
        if (sub.options.some(({ long }) => long === '--json')) found.push(name);
        walk(sub, name);
      }
    };
    walk(program, '');
    expect(found).toEqual(expect.arrayContaining(Object.keys(JSON_SCHEMAS)));
  });

  it.each(Object.keys(JSON_SCHEMAS))('can be written down: %s', (command) => {
    expect(JSON.parse(JSON.stringify(jsonSchemaOf(command)))).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
    });
  });
});

describe('a page of the manual', () => {
  it('fits the terminal, without the marks of Markdown', () => {
    const text = markdownText(
      '# Title\n\nSome `code` and a [link](x.md) that\nis **wrapped** here.\n\n- one thing\n  more of it\n- two\n\n```sh\nrun  it\n```\n\n| a | b |\n|---|---|\n| x | a long cell that needs more than a line of it |\n',
      40,
    );
    expect(text).toBe(
      [
        'Title',
        '',
        'Some code and a link that is wrapped',
        'here.',
        '',
        '- one thing more of it',
        '- two',
        '',
        '  run  it',
        '',
        'a  b',
        'x  a long cell that needs more than a',
        '   line of it',
        '',
      ].join('\n'),
    );
  });
});
