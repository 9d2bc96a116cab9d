import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/contract/messages.ts';
import { isTerminal } from '../../src/domain/job.ts';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from '../engine/support/testEngine.ts';
import { commandLineOf } from './commandHarness.ts';
import { recordingLog } from './fakeRouter.ts';

let home: string;
let engine: TestEngine;
let socket: LocalSocket;

beforeAll(async () => {
  home = temporaryHome();
  engine = await startEngine({ home });
  socket = await serveLocalSocket({ home, router: engine.engine.router, log: recordingLog(), env: {} });
});
afterAll(async () => {
  const jobs = (await engine.client.jobs.list({})).jobs.filter((job) => !isTerminal(job.status));
  for (const { id } of jobs.sort((a, b) => b.id - a.id)) {
    await engine.client.jobs.cancel({ id });
    await engine.untilOver(id);
  }
  await socket.close();
  await engine.engine.stop();
  removeHome(home);
});

const stint = commandLineOf(() => home);

async function submitted(...args: string[]): Promise<JobView> {
  const { status, stdout, stderr } = await stint('submit', '--json', ...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as JobView;
}

describe('an array', () => {
  it('is shown before it is queued, is one line of ls, and is cancelled as a whole', async () => {
    const sweep = [
      '--sweep',
      'lr=1e-3,3e-4',
      '--sweep',
      'seed=0..1',
      '--at-most',
      '1',
      '--name',
      'sweep {lr}',
    ];
    const command = ['--', 'sleep', '600', '{lr}', '{seed}'];
    const dry = await stint('submit', '--dry-run', ...sweep, ...command);
    expect(dry.stdout.split('\n').slice(0, 2)).toEqual([
      '0  sweep 1e-3: sleep 600 1e-3 0',
      '1  sweep 1e-3: sleep 600 1e-3 1',
    ]);
    expect(dry.stderr).toContain('4 jobs, nothing was queued');
    const { stdout } = await stint('submit', '--hold', ...sweep, ...command);
    const id = Number(stdout);
    const lines = (await stint('ls')).stdout.split('\n').filter((line) => line.includes('sweep {lr}'));
    expect(lines).toEqual([expect.stringMatching(new RegExp(`^ *${id}\\[4\\] .*4 held`))]);
    expect((await stint('ls', '--array', String(id))).stdout).toMatch(/sweep 3e-4/);
    expect((await stint('show', String(id + 1))).stdout).toContain(
      `#${id}, index 1 of 4 jobs, 1 at once lr=1e-3 seed=1`,
    );
    const cancelled = await stint('cancel', '--array', String(id));
    expect(cancelled).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^(job \d+ is cancelled.*\n){4}$/),
    });
  });

  it.each([
    [['--array', '0-9', '--sweep', 'a=1'], '--array'],
    [['--samples', '3'], '--samples'],
    [['--at-most', '3'], '--at-most'],
    [['--sweep-file', '/nowhere/x.csv'], '--sweep-file'],
  ])('is refused by its flag: %j', async (flags, flag) => {
    const { status, stderr } = await stint('submit', ...flags, '--', 'true');
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(`^stint: ${flag}: `) });
  });
});

describe('submit', () => {
  it('takes when a job begins, how long it may run, how often it is tried, and what it waits for', async () => {
    const first = await submitted('--hold', '--', 'true');
    const second = await submitted('--hold', '--', 'true');
    const before = Date.now();
    const terms = ['--begin', '+2h', '--time', '1d 12h', '--retries', '3', '--retry-delay', '1min'];
    const waits = ['--after', `${first.id}`, '--dependency', `afterany:${second.id}`];
    const job = await submitted('--retry-on', '1,137', ...terms, ...waits, '--', 'true');
    expect(job).toMatchObject({
      timeLimitS: 36 * 3600,
      retries: 3,
      retryDelayS: 60,
      retryOn: [1, 137],
      after: [
        { jobId: first.id, on: 'ok' },
        { jobId: second.id, on: 'any' },
      ],
    });
    expect(job.beginAtMs! - before).toBeGreaterThanOrEqual(7_200_000);
    expect(job.beginAtMs! - before).toBeLessThan(7_260_000);
    const { stdout } = await stint('show', String(job.id));
    expect(stdout).toMatch(new RegExp(`waits for\\s+#${first.id} to succeed, #${second.id} to end\n`));
    expect(stdout).toMatch(/begins\s+\d{4}-\d\d-\d\d /);
    expect(stdout).toMatch(/time limit\s+1 d 12 h\n/);
    expect(stdout).toMatch(/retries\s+0 of 3 used, 1 min apart at first, only after exit code 1 or 137\n/);
    await stint('cancel', ...[job, first, second].map(({ id }) => String(id)));
  });

  it.each([
    [
      ['--begin', 'yesterday'],
      /^stint: --begin: "yesterday" is not usable; give a moment to come, such as \+2h/,
    ],
    [['--time', 'long'], /^stint: --time: "long" is not usable; give a duration/],
    [['--time', '0s'], /^stint: --time: 0 is not usable; give more than 0 seconds/],
    [['--retries', '-1'], /^stint: --retries: "-1" is not usable; give a whole number from 0 to 1000/],
    [
      ['--retry-on', '1'],
      /^stint: --retry-on: "1" is not usable; say how often it is tried again, such as --retr/,
    ],
    [['--retries', '1', '--retry-on', '300'], /^stint: --retry-on: "300" is not usable/],
    [
      ['--after', '999999'],
      /^stint: --after: 999999 is not usable; there is no such job yet: .* submitted before it/,
    ],
    [['--dependency', 'after:1'], /^stint: --dependency: "after:1" is not usable; give afterok, afterany or/],
  ])('refuses %j, naming the flag and the remedy', async (flags, message) => {
    const before = (await engine.client.jobs.list({})).total;
    const { status, stdout, stderr } = await stint('submit', ...flags, '--', 'true');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect((await engine.client.jobs.list({})).total).toBe(before);
  });
});

describe('retry, and the logs of attempts', () => {
  it('run a job again as another attempt, and read the log of each', async () => {
    const { id } = await submitted('--', 'sh', '-c', 'echo try $STINT_ATTEMPT; exit 3');
    await engine.untilOver(id);
    expect(await stint('retry', String(id))).toMatchObject({
      status: 0,
      stdout: `job ${id} is queued, priority 0\n`,
    });
    expect(await stint('wait', String(id))).toMatchObject({ status: 3 });
    expect((await stint('logs', String(id), '--attempt', '1')).stdout).toBe('try 1\n');
    expect((await stint('logs', '-f', String(id), '--attempt', '2')).stdout).toBe('try 2\n');
    expect((await stint('logs', String(id))).stdout).toBe('try 2\n');
    expect(await stint('logs', String(id), '--attempt', '3')).toMatchObject({
      status: 1,
      stderr: `stint: no attempt 3; job ${id} has had 2 attempts so far\n`,
    });
    expect((await stint('show', String(id))).stdout).toMatch(
      /ATTEMPT {2}ENDED {3}EXIT .*\n +1 {2}failed +3 .*exited with code 3\n +2 {2}failed +3 /,
    );
    expect(await stint('retry', '999999')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/no job 999999/),
    });
  });
});

describe('hold and release', () => {
  it('work on all that wait, or on those that are named, and not on both', async () => {
    await stint('drain');
    const jobs = [await submitted('--', 'true'), await submitted('--', 'true')];
    const told = (status: string) => jobs.map(({ id }) => `job ${id} is ${status}, priority 0\n`).join('');
    expect(await stint('hold', '--all')).toMatchObject({ status: 0, stdout: told('held') });
    expect((await stint('show', String(jobs[0]!.id))).stdout).toMatch(/^status +held: it waits until/m);
    expect(await stint('release', '--all')).toMatchObject({ status: 0, stdout: told('queued') });
    expect(await stint('release', '--all')).toMatchObject({
      status: 1,
      stderr: 'stint: no job is held; there is nothing to release\n',
    });
    expect(await stint('hold', '--all', '1')).toMatchObject({ status: 2 });
    expect(await stint('hold')).toMatchObject({
      status: 2,
      stderr: 'stint: job id: nothing is not usable; give numbers of jobs, such as 12 13, or --all\n',
    });
    await stint('drain', '--off');
    for (const { id } of jobs) await engine.untilOver(id);
  });
});

describe('drain', () => {
  it('is said by status, and undone by --off', async () => {
    const { stdout } = await stint('drain');
    expect(stdout).toBe('drained: nothing is started; nothing runs\n');
    expect((await stint('status')).stdout).toMatch(
      /drained\s+since .*: nothing is started until `stint drain --off`/,
    );
    const job = await submitted('--', 'true');
    expect((await stint('ls')).stdout).toMatch(/queued .*the machine is drained/);
    expect((await stint('drain', '--off')).stdout).toBe('jobs are started again\n');
    await engine.untilOver(job.id);
    expect((await stint('status')).stdout).not.toMatch(/drained/);
  });
});
