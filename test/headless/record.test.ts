import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PastJob } from '../../src/domain/pastJob.ts';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from '../engine/support/testEngine.ts';
import { type Ran, run } from './commandHarness.ts';

const PACKAGE = resolve(import.meta.dirname, '../..');
const CLI = ['--disable-warning=ExperimentalWarning', join(PACKAGE, 'src/cli/main.js')];
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

let dir: string;
let home: string;
let stint: TestEngine;
let socket: LocalSocket;
let today: string;

/** Not `spawnSync`: the engine that answers lives in this process. */
const cli = (...args: string[]): Promise<Ran> =>
  run(
    process.execPath,
    [...CLI, ...args],
    { ...process.env, STINT_HOME: home, PWD: dir, INIT_CWD: '', npm_lifecycle_event: '' },
    dir,
  );

const rows = (csv: string): string[] => csv.trim().split('\n');

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'stint-record-'));
  home = temporaryHome();
  stint = await startEngine({ home });
  socket = await serveLocalSocket({ home, router: stint.engine.router, log: silent });
});
afterAll(async () => {
  await stint.client.jobs.list({ statuses: ['running'] }).then(async ({ jobs }) => {
    for (const { id } of jobs) await stint.client.jobs.cancel({ id });
    for (const { id } of jobs) await stint.untilOver(id);
  });
  await socket.close();
  await stint.engine.stop();
  removeHome(home);
  rmSync(dir, { recursive: true, force: true });
});

describe('before anything has ended', () => {
  it.each(['export', 'replay'])('%s says so', async (command) => {
    expect(await cli(command)).toEqual({
      status: 1,
      stdout: '',
      stderr: 'stint: no job that is over arrived until now; no job has ended yet\n',
    });
  });
});

describe('with a record', () => {
  beforeAll(async () => {
    const ids: number[] = [];
    for (const sleep of ['0.4', '0.2', '0.3']) {
      ids.push((await stint.submit(['sleep', sleep], { gpus: 2, name: `nap, ${sleep}`, vramMib: 512 })).id);
    }
    ids.push((await stint.submit(['true'], { gpus: 0 })).id);
    const never = await stint.submit(['true'], { hold: true });
    await stint.client.jobs.cancel({ id: never.id });
    for (const id of ids) await stint.untilOver(id);
    const still = await stint.submit(['sleep', '600']);
    await stint.until(still.id, 'running');
    const now = new Date();
    const two = (n: number): string => String(n).padStart(2, '0');
    today = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  });

  it('export writes a trace that the lab reads, and counts what it leaves out', async () => {
    const { status, stdout, stderr } = await cli('export', '--from', '1h', '-o', 'week.csv');
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr).toContain(
      '3 jobs were left out: 1 ran without a GPU, 1 never ran, 1 is not over\nstint: wrote 3 jobs to week.csv',
    );
    const [header, first, ...rest] = rows(readFileSync(join(dir, 'week.csv'), 'utf8'));
    expect(header).toBe('job_id,submit_s,duration_s,gpus,vram_mib,gpu_util,priority,user,name,estimate_s');
    expect(first).toMatch(/^1,0,\d+(\.\d+)?,2,512,,0,tester,"nap, 0\.4",$/);
    expect(rest).toHaveLength(2);
    const simulated = await cli(
      'simulate',
      'week.csv',
      '--gpus',
      '2',
      '--plain',
      '--policy',
      'fifo',
      '--json',
    );
    expect(simulated).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(simulated.stdout)).toMatchObject([{ policy: 'fifo', jobs: 3, rejected: 0 }]);
  });

  it('export writes to stdout, and with --json all that is recorded', async () => {
    expect(rows((await cli('export', '-o', '-')).stdout)).toHaveLength(4);
    const { status, stdout } = await cli('export', '--json');
    const jobs = JSON.parse(stdout) as PastJob[];
    expect([status, jobs.map(({ id, gpus, command }) => [id, gpus, command])]).toEqual([
      0,
      [
        [1, 2, 'sleep'],
        [2, 2, 'sleep'],
        [3, 2, 'sleep'],
        [4, 0, 'true'],
        [5, 1, 'true'],
      ],
    ]);
  });

  it('export replaces a file whole, and leaves it alone when it cannot', async () => {
    writeFileSync(join(dir, 'there.csv'), 'old');
    const empty = await cli('export', '--to', '2020-01-01', '-o', 'there.csv');
    expect(empty.status).toBe(1);
    expect(empty.stderr).toContain(`; there are jobs on ${today} (5)\n`);
    expect(readFileSync(join(dir, 'there.csv'), 'utf8')).toBe('old');
    expect((await cli('export', '-o', 'there.csv')).status).toBe(0);
    expect(rows(readFileSync(join(dir, 'there.csv'), 'utf8'))).toHaveLength(4);
    expect(await cli('export', '-o', 'no/such/folder.csv')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^stint: -o: .*no\/such\/folder\.csv.*name a file that can be written/),
    });
    expect(readdirSync(dir).filter((name) => name.includes('part'))).toEqual([]);
  });

  it('replay sets policies beside what happened, and says what it cannot know', async () => {
    const { status, stdout, stderr } = await cli('replay', '--policy', 'first-fit,sjf', '--html', 'r.html');
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    const at = (start: string): number => lines.findIndex((line) => line.startsWith(start));
    expect(lines[0]).toBe('3 jobs that arrived until now, on 2 GPUs');
    const order = [
      'POLICY',
      'as it was',
      'first-fit',
      'knowing true durations',
      'sjf',
      'under first-fit: mean JCT',
      'in charge was fifo (3 jobs); the replay of fifo: mean JCT',
      'What a replay cannot know',
      '- 1 job of that time is not over',
    ].map(at);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(0);
    expect(readFileSync(join(dir, 'r.html'), 'utf8')).toContain('as it was');
  });

  it('replay as JSON has the same under the names of the metrics', async () => {
    const { status, stdout } = await cli(
      'replay',
      '--policy',
      'fifo',
      '--json',
      '--from',
      'today',
      '--to',
      'today',
    );
    const result = JSON.parse(stdout);
    expect(status).toBe(0);
    expect(result).toMatchObject({
      jobs: 3,
      gpus: 2,
      inCharge: { fifo: 3 },
      trust: { policy: 'fifo', mean_jct_change: expect.any(Number) },
      rows: [
        { policy: 'as it was', mean_jct_change: null },
        { policy: 'fifo', mean_jct_s: expect.any(Number) },
      ],
      limits: expect.arrayContaining([expect.stringContaining('arrivals are as recorded')]),
    });
  });

  it.each([
    ['--from', ['--from', 'lately'], /^stint: --from: "lately" is not usable; give a moment, such as /],
    [
      '--to',
      ['--from', 'today', '--to', 'yesterday'],
      /^stint: --to: "yesterday" is not usable; .*after --from/,
    ],
    ['--policy', ['--policy', 'best'], /^stint: --policy: "best" is not usable; choose from fifo/],
    ['--gpus', ['--gpus', '1', '--policy', 'fifo'], /^stint: --gpus: 1 is not usable; give more/],
  ])('names %s when it cannot be used', async (_flag, args, stderr) => {
    const { status, stdout, stderr: said } = await cli('replay', ...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(said).toMatch(stderr);
  });
});
