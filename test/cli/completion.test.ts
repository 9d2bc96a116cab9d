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

/** Scripts that press Tab, each in its shell. */
const ask = (shell: string): string => join(import.meta.dirname, 'ask', `ask.${shell}`);
const BARE: Readonly<Record<(typeof SHELLS)[number], readonly string[]>> = {
  bash: ['--norc'],
  zsh: ['-f'],
  fish: ['--no-config'],
};
const has = (shell: string): boolean => spawnSync(shell, ['--version']).error === undefined;

describe.each(SHELLS)('completion in %s', (shell) => {
  const missing = !has(shell);
  if (missing) console.log(`skipped: completion in ${shell} needs ${shell}, which is not installed`);

  it.skipIf(missing)('knows commands, those below them, and their options', { timeout: 200_000 }, () => {
    const lines = [
      '',
      'tok',
      'token ',
      'token create --sc',
      'add --vr',
      'submit --name ls --vr',
      'submit -- python --vr',
      'policy ro',
    ];
    const typed = lines.map((line) => `stint ${line}`);
    const ran = spawnSync(shell, [...BARE[shell], ask(shell), join(dir, shell), ...typed], {
      encoding: 'utf8',
      cwd: dir,
      timeout: 180_000,
    });
    expect([ran.signal, ran.stderr]).toEqual([null, '']);
    const offered = ran.stdout.split(/^==\r?\n/m).map((text) => {
      const words = text.split(/\r?\n/).map((line) => line.split('\t')[0]!.trim());
      return [...new Set(words)].filter((word) => word !== '').sort();
    });
    const [all, tok, token, scope, vram, afterValue, ofJob, rollback] = offered;
    expect(all).toEqual(expect.arrayContaining(['ls', 'sbatch', 'submit', 'top', 'wait']));
    expect(tok).toEqual(['token']);
    expect(token).toEqual(['create', 'ls', 'revoke']);
    expect(scope).toEqual(['--scope']);
    expect(vram).toEqual(['--vram']);
    expect(afterValue).toEqual(['--vram']);
    expect(ofJob).toEqual([]);
    expect(rollback).toEqual(['rollback']);
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
