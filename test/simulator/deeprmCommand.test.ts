import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSequences } from '../../src/simulator/deeprm/sequences.ts';

describe('a file of sequences', () => {
  const good = {
    len: [[0, 2, 0]],
    size: [
      [
        [0, 0],
        [5, 1],
        [0, 0],
      ],
    ],
    rate: 0.3,
  };

  it('is read as it stands', () => {
    expect(parseSequences(good)).toEqual([[null, { lengthSteps: 2, demand: [5, 1] }, null]]);
  });

  it.each([
    ['content', []],
    ['content', null],
    ['len', { size: good.size }],
    ['len', { ...good, len: [] }],
    ['size', { len: good.len }],
    ['size.length', { ...good, len: [[1], [1]] }],
    ['len[0]', { ...good, len: [7] }],
    ['len[0]', { ...good, len: [[]] }],
    ['size[0]', { ...good, size: [null] }],
    ['size[0].length', { ...good, size: [[[0, 0]]] }],
    ['len[0][1]', { ...good, len: [[0, -2, 0]] }],
    ['len[0][1]', { ...good, len: [[0, 2.5, 0]] }],
    ['len[0][1]', { ...good, len: [[0, '2', 0]] }],
    ['len[0][1]', { ...good, len: [[0, 20, 0]] }],
    ['size[0][1]', { ...good, size: [[[0, 0], [5], [0, 0]]] }],
    [
      'size[0][1][0]',
      {
        ...good,
        size: [
          [
            [0, 0],
            [11, 1],
            [0, 0],
          ],
        ],
      },
    ],
    [
      'size[0][1][1]',
      {
        ...good,
        size: [
          [
            [0, 0],
            [5, -1],
            [0, 0],
          ],
        ],
      },
    ],
    [
      'size[0][2]',
      {
        ...good,
        size: [
          [
            [0, 0],
            [5, 1],
            [5, 1],
          ],
        ],
      },
    ],
  ])('is refused for its %s: %j', (field, content) => {
    expect(() => parseSequences(content)).toThrow(
      expect.objectContaining({ name: 'FieldError', field, remedy: expect.stringMatching(/^give /) }),
    );
  });
});

describe('stint deeprm', () => {
  const CLI = resolve(import.meta.dirname, '../../src/cli/main.js');
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'stint-deeprm-'));
    const file = {
      len: [[0, 2, 1]],
      size: [
        [
          [0, 0],
          [10, 1],
          [5, 1],
        ],
      ],
    };
    writeFileSync(join(directory, 'small.json'), JSON.stringify(file));
    writeFileSync(join(directory, 'negative.json'), JSON.stringify({ ...file, len: [[0, 2, -1]] }));
    writeFileSync(join(directory, 'text.json'), 'len: none\u001b[2J');
    const crowd = { len: [Array(121).fill(19)], size: [Array(121).fill([10, 10])] };
    writeFileSync(join(directory, 'crowd.json'), JSON.stringify(crowd));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function stint(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    const { PWD: _pwd, INIT_CWD: _init, ...env } = process.env;
    const command = ['--disable-warning=ExperimentalWarning', CLI, 'deeprm', ...args];
    return new Promise((done) => {
      execFile(process.execPath, command, { cwd: directory, env }, (error, stdout, stderr) =>
        done({ status: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
      );
    });
  }

  it('prints a table, or rows as JSON', async () => {
    const table = await stint('--sequences', 'small.json', '--policy', 'sjf, packer');
    expect(table).toEqual({
      status: 0,
      stdout: 'POLICY  MEAN SLOWDOWN  JOBS\nsjf             1.500     2\npacker          1.500     2\n',
      stderr: '',
    });
    const json = await stint('--sequences', 'small.json', '--json');
    const rows = JSON.parse(json.stdout) as { policy: string }[];
    expect(rows.map((row) => row.policy)).toEqual(['sjf', 'packer', 'tetris:0.001', 'first-fit', 'random']);
    expect(rows[0]).toEqual({ policy: 'sjf', mean_slowdown: 1.5, jobs: 2 });
  });

  it('says how many jobs its figures leave out', async () => {
    const { status, stdout, stderr } = await stint('--sequences', 'crowd.json', '--policy', 'sjf', '--json');
    expect(status).toBe(0);
    // One arrival a step until 120. One that starts holds everything for 19 steps: at 1, 20, 39, 58, 77, 96 and 115.
    // 7 of them took a place and left it, 70 wait in the end, and the other 43 found none.
    expect(JSON.parse(stdout)).toMatchObject([{ jobs: 77 }]);
    expect(stderr).toBe('stint: sjf: the backlog was full for 43 of the arrivals; they are in no figure\n');
  });

  it.each([
    [
      ['--sequences', 'negative.json'],
      'negative.json: len[0][2]: -1 is not usable; give a whole number from 0 to 19',
    ],
    [['--sequences', 'text.json'], 'text.json: content: "len: none\\u001b[2J" is not usable; give JSON with'],
    [
      ['--sequences', 'missing.json'],
      'missing.json: content: nothing is not usable; give a file that can be read',
    ],
    [
      ['--sequences', 'small.json', '--policy', 'sjf,best'],
      '--policy: "best" is not usable; choose from sjf',
    ],
    [
      ['--sequences', 'small.json', '--policy', 'tetris:7'],
      '--policy: "tetris:7" is not usable; choose from',
    ],
    [['--sequences', 'small.json', '--seed', '-1'], '--seed: "-1" is not usable; give a whole number from 0'],
    [[], "required option '--sequences <FILE>' not specified"],
  ])('ends with status 2 for %j', async (args, expected) => {
    const { status, stdout, stderr } = await stint(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(`stint: ${expected}`);
    expect(stderr.trimEnd()).not.toMatch(/[\p{Cc}]/u);
  });
});
