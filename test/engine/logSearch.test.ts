import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { offsetOfLine } from '../../src/engine/jobs/lineIndex.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => removeHome(home));

describe('where a line begins', () => {
  it('is found in a log of several steps, also after it has grown, by what was counted before', async () => {
    const path = join(home, 'output.log');
    // 10 MB, so that lines lie across the steps of 4 MiB.
    const lines = Array.from({ length: 200_000 }, (_, i) => `line ${i + 1} ${'x'.repeat(40)}`);
    const offsets = [0];
    for (const line of lines) offsets.push(offsets.at(-1)! + line.length + 1);
    writeFileSync(path, `${lines.join('\n')}\n`);
    for (const line of [1, 2, 77_777, 90_000, 199_999, 200_000])
      expect(await offsetOfLine(path, line)).toBe(offsets[line - 1]);
    expect(JSON.parse(readFileSync(join(home, 'lines'), 'utf8')).length).toBe(2);
    expect(await offsetOfLine(path, 200_002)).toBeNull();
    writeFileSync(path, 'one more\nand another', { flag: 'a' });
    expect(await offsetOfLine(path, 200_002)).toBe(offsets[200_000]! + 9);
    expect(await offsetOfLine(path, -2)).toBe(offsets[200_000]);
    expect(await offsetOfLine(path, -1)).toBe(offsets[200_000]! + 9);
    expect(await offsetOfLine(path, -150_002)).toBe(offsets[50_000]);
    expect(await offsetOfLine(path, -900_000)).toBe(0);
  });

  it('is known of no log that is not there', async () => {
    expect(await offsetOfLine(join(home, 'output.log'), 5)).toBeNull();
    expect(existsSync(join(home, 'lines'))).toBe(false);
  });
});

describe('a search in a log', () => {
  let stint: TestEngine;
  let id: number;
  beforeEach(async () => {
    stint = await startEngine({ home });
    const log = Buffer.concat([
      Buffer.from('first line\nLoss: 0.5\r loss=nan\rrest\n'),
      Buffer.from([0x66, 0xff, 0xfe, 0x20]),
      Buffer.from('bytes that are no text, loss 7\n'),
      Buffer.alloc(10 * 1024 * 1024, 'y'),
      Buffer.from('needle\nlast (loss) [line]'),
    ]);
    const file = join(home, 'given.log');
    writeFileSync(file, log);
    id = (await stint.submit(['cat', file], { gpus: 0 })).id;
    await stint.untilOver(id);
  });
  afterEach(() => stint.engine.stop());

  const found = async (pattern: string, more: object = {}) =>
    (await stint.client.logs.search({ id, pattern, ...more })).matches.map(({ text }) => text);

  it('finds lines by expression, by text, with capitals or not, between line feeds and carriage returns', async () => {
    expect(await found('loss[=:] ?nan')).toEqual([' loss=nan']);
    expect(await found('loss', { ignoreCase: true })).toHaveLength(4);
    expect(await found('(loss) [line]', { fixed: true })).toEqual(['last (loss) [line]']);
    expect(await found('^rest$')).toEqual(['rest']);
    expect(await found('no such thing')).toEqual([]);
  });

  it('tells where they are, cuts lines of 10 MB, and goes on page by page', async () => {
    const first = await stint.client.logs.search({ id, pattern: 'l', limit: 1 });
    expect(first).toEqual({ matches: [{ offset: 0, text: 'first line' }], next: 21 });
    const { text } = await stint.client.logs.read({ id, offset: 21, limitBytes: 9 });
    expect(text).toBe(' loss=nan');
    const [long] = (await stint.client.logs.search({ id, pattern: 'needle' })).matches;
    expect(long!.text).toBe('y'.repeat(4096));
    const seen: string[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page: { matches: { text: string }[]; next: number | null } = await stint.client.logs.search({
        id,
        pattern: 'loss',
        limit: 1,
        offset,
      });
      seen.push(...page.matches.map((one) => one.text));
      offset = page.next;
    }
    expect(seen).toEqual(await found('loss'));
  });

  it('refuses what is no expression, and takes nothing for a command or a flag', async () => {
    await expect(found('(')).rejects.toMatchObject({ data: { field: 'pattern' } });
    await expect(found('a\nb')).rejects.toMatchObject({ data: { field: 'pattern' } });
    expect(await found(`$(touch ${join(home, 'owned')})`, { fixed: true })).toEqual([]);
    expect(await found('--version')).toEqual([]);
    expect(existsSync(join(home, 'owned'))).toBe(false);
  });

  it('says where a line begins', async () => {
    expect(await stint.client.logs.locate({ id, line: 2 })).toEqual({ offset: 11 });
    expect(await stint.client.logs.locate({ id, line: 9 })).toEqual({ offset: null });
    await expect(stint.client.logs.locate({ id, line: 0 })).rejects.toMatchObject({
      data: { field: 'line' },
    });
  });
});
