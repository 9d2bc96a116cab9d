import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTerminal } from '../../src/domain/job.ts';
import { jobProcesses } from '../../src/engine/jobs/processes.ts';
import { type Clock, systemClock } from '../../src/engine/ports.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine;
/** By how much somebody has set the clock on the wall. */
let setByMs: number;
const clock: Clock = { nowMs: () => Date.now() + setByMs, monotonicMs: systemClock.monotonicMs };
const DAY_MS = 86_400_000;

beforeEach(async () => {
  setByMs = 0;
  home = temporaryHome();
  stint = await startEngine({ home, clock });
});
afterEach(async () => {
  const jobs = (await stint.client.jobs.list({})).jobs.filter((job) => !isTerminal(job.status));
  // First those that wait for others: they might be cancelled with these.
  for (const job of jobs.sort((a, b) => b.id - a.id)) {
    if (job.status !== 'stopping') await stint.client.jobs.cancel({ id: job.id });
    await stint.untilOver(job.id);
  }
  await stint.engine.stop();
  removeHome(home);
});

const sh = (script: string): string[] => ['sh', '-c', script];
const restart = async (): Promise<void> => {
  await stint.engine.stop();
  stint = await startEngine({ home, clock });
};
const get = (id: number) => stint.client.jobs.get({ id });
const kinds = async (id: number) => (await stint.client.jobs.events({ id })).map(({ event }) => event.kind);
/** A job that ends once this file is there, and when it is told to. */
const untilFile = (path: string, code = 0): string[] =>
  sh(`while [ ! -e ${path} ]; do sleep 0.05; done; exit ${code}`);
const reasonOf = (id: number, pattern: RegExp) =>
  eventually(
    () => get(id),
    (job) => pattern.test(job.waitingReason ?? ''),
    `the reason to be ${pattern}`,
  );

describe('a delayed start', () => {
  it('waits for its time, says so, and counts as waiting only from then on', async () => {
    const beginAtMs = Date.now() + 1500;
    const { id } = await stint.submit(['true'], { beginAtMs });
    await reasonOf(id, /^is to start at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const job = await stint.untilOver(id);
    expect(job.startedAtMs).toBeGreaterThanOrEqual(beginAtMs);
    expect(job.readyAtMs).toBe(beginAtMs);
    const history = await stint.client.history.jobs({ fromMs: 0, toMs: Date.now() + DAY_MS });
    expect(history.jobs).toMatchObject([{ id, readyAtMs: beginAtMs }]);
  });

  it('lets others pass, and opens no busy period before its time', async () => {
    const later = await stint.submit(['true'], { beginAtMs: Date.now() + DAY_MS });
    await reasonOf(later.id, /is to start at/);
    expect(await stint.client.scheduler.episodes({})).toEqual([]);
    const { id } = await stint.submit(['true']);
    await stint.untilOver(id);
    await eventually(
      () => stint.client.scheduler.episodes({}),
      ([episode]) => episode?.endedAtMs != null,
      'the busy period to end though a job waits for its time',
    );
    const episodes = await stint.client.scheduler.episodes({});
    expect(episodes).toMatchObject([{ jobsArrived: 1, jobsFinished: 1 }]);
  });

  it('is kept across restarts, and follows the clock when that is set', async () => {
    const { id } = await stint.submit(['true'], { beginAtMs: Date.now() + DAY_MS });
    await restart();
    await reasonOf(id, /is to start at/);
    setByMs = 2 * DAY_MS;
    // Whatever happens to a job opens an epoch; without it, the next review would.
    await stint.submit(['true'], { hold: true });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded' });
  });

  it('holds for a job that is released, too', async () => {
    const { id } = await stint.submit(['true'], { hold: true, beginAtMs: Date.now() + DAY_MS });
    await stint.client.jobs.release({ id });
    await reasonOf(id, /is to start at/);
  });
});

describe('a time limit', () => {
  const stubborn = sh('trap "" TERM; echo ready; while :; do sleep 0.05; done');

  it('ends the job with SIGTERM, and with SIGKILL after the grace period', async () => {
    const { id } = await stint.submit(stubborn, { timeLimitS: 0.6 });
    const cause = 'it reached its time limit of 600 ms';
    expect(await stint.untilOver(id)).toMatchObject({ status: 'timed-out', exitCode: 137, cause });
    expect(await kinds(id)).toEqual(['submitted', 'launching', 'started', 'stopping', 'exited']);
    const polite = await stint.submit(sh('trap "exit 0" TERM; while :; do sleep 0.05; done'), {
      timeLimitS: 0.6,
    });
    expect(await stint.untilOver(polite.id)).toMatchObject({ status: 'timed-out', exitCode: 0 });
  });

  it('does not count pauses, and nobody who sets the clock', async () => {
    const { id } = await stint.submit(sh('sleep 60'), { timeLimitS: 3 });
    await stint.until(id, 'running');
    setByMs = DAY_MS;
    await stint.client.jobs.pause({ id });
    const { runClock } = await get(id);
    // In another engine, long after: the pause is not counted, and what it ran before is.
    await stint.engine.stop();
    await new Promise((resolve) => setTimeout(resolve, 3500));
    setByMs = -DAY_MS;
    stint = await startEngine({ home, clock });
    expect(await get(id)).toMatchObject({ status: 'paused', runClock });
    const resumed = await stint.client.jobs.resume({ id });
    expect(resumed).toMatchObject({ status: 'running', runClock: { ranMs: runClock!.ranMs } });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'timed-out' });
    const [went, ended] = (await stint.client.jobs.events({ id })).filter(
      ({ event }) => event.kind === 'resumed' || event.kind === 'stopping',
    );
    expect(ended!.atMs - went!.atMs).toBeGreaterThan(3000 - runClock!.ranMs - 200);
  });

  it('goes on while no engine is there', async () => {
    const { id } = await stint.submit(sh('sleep 60'), { timeLimitS: 1 });
    await stint.until(id, 'running');
    await stint.engine.stop();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    stint = await startEngine({ home, clock });
    // At its first look already.
    expect(await get(id)).toMatchObject({ status: expect.stringMatching(/stopping|timed-out/) });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'timed-out' });
  });

  it('is not tried again', async () => {
    const { id } = await stint.submit(sh('sleep 60'), { timeLimitS: 0.4, retries: 3, retryDelayS: 0 });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'timed-out', attempt: 1, retried: 0 });
  });
});

describe('retries', () => {
  it('are linked attempts of one job, each with its log, exit code and times', async () => {
    const script = 'echo "this is $STINT_ATTEMPT"; [ $STINT_ATTEMPT = 3 ] || exit $((STINT_ATTEMPT + 10))';
    const { id } = await stint.submit(sh(script), { retries: 5, retryDelayS: 0.2 });
    expect(await stint.untilOver(id)).toMatchObject({
      status: 'succeeded',
      attempt: 3,
      retried: 2,
      exitCode: 0,
    });
    const attempts = await stint.client.jobs.attempts({ id });
    const ends = attempts.map(({ attempt, outcome, exitCode, cause }) => ({
      attempt,
      outcome,
      exitCode,
      cause,
    }));
    expect(ends).toEqual([
      { attempt: 1, outcome: 'failed', exitCode: 11, cause: 'exited with code 11' },
      { attempt: 2, outcome: 'failed', exitCode: 12, cause: 'exited with code 12' },
      { attempt: 3, outcome: 'succeeded', exitCode: 0, cause: null },
    ]);
    // The delay doubles.
    const gaps = attempts.slice(1).map((one, i) => one.startedAtMs! - attempts[i]!.finishedAtMs!);
    expect(gaps[0]).toBeGreaterThanOrEqual(200);
    expect(gaps[1]).toBeGreaterThanOrEqual(400);
    for (const attempt of [1, 2, 3]) {
      const log = await stint.client.logs.read({ id, attempt });
      expect(log).toMatchObject({ text: `this is ${attempt}\n`, end: true });
    }
    expect((await stint.client.logs.read({ id })).text).toBe('this is 3\n');
    await expect(stint.client.logs.read({ id, attempt: 4 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `no attempt 4; job ${id} has had 3 attempts so far`,
    });
    // Each was launched in a folder and with a claim of its own, and held its device only meanwhile.
    for (const attempt of [1, 2, 3]) {
      expect(existsSync(join(home, 'jobs', String(id), String(attempt), 'claim'))).toBe(true);
    }
    const stretches = (await stint.client.devices.allocations({ sinceMs: 0 })).filter(
      (one) => one.jobId === id,
    );
    expect(stretches).toHaveLength(3);
    expect(stretches.every(({ endMs }) => endMs !== null)).toBe(true);
  });

  it('end when they are used up, and happen only on the exit codes that were named', async () => {
    const spent = await stint.submit(sh('exit 7'), { retries: 1, retryDelayS: 0 });
    const other = await stint.submit(sh('exit 7'), { retries: 5, retryDelayS: 0, retryOn: [8, 9] });
    const named = await stint.submit(sh('exit $((STINT_ATTEMPT + 7))'), {
      retries: 5,
      retryDelayS: 0,
      retryOn: [8, 9],
    });
    expect(await stint.untilOver(spent.id)).toMatchObject({ status: 'failed', attempt: 2, exitCode: 7 });
    expect(await stint.untilOver(other.id)).toMatchObject({ status: 'failed', attempt: 1, exitCode: 7 });
    expect(await stint.untilOver(named.id)).toMatchObject({ status: 'failed', attempt: 3, exitCode: 10 });
  });

  it('say when the next one is, and are cancelled like any job that waits', async () => {
    const { id } = await stint.submit(sh('exit 4'), { retries: 1, retryDelayS: 600 });
    await reasonOf(id, /^attempt 1: exited with code 4; the next is at \d{4}-/);
    expect(await get(id)).toMatchObject({
      status: 'queued',
      exitCode: null,
      finishedAtMs: null,
      devices: [],
    });
    // What it wrote stays what one reads of it.
    expect(await stint.client.logs.read({ id, attempt: 1 })).toMatchObject({ end: true });
    const cause = 'cancelled before another attempt';
    expect(await stint.client.jobs.cancel({ id })).toMatchObject({ status: 'cancelled', cause });
    const { jobs } = await stint.client.history.jobs({ fromMs: 0, toMs: Date.now() + DAY_MS });
    expect(jobs[0]!.readyAtMs).toBe(jobs[0]!.finishedAtMs);
  });

  it('wait across restarts, and not for a clock that was set back', async () => {
    const { id } = await stint.submit(sh('[ $STINT_ATTEMPT = 2 ]'), { retries: 1, retryDelayS: 3600 });
    await reasonOf(id, /^attempt 1/);
    await restart();
    await reasonOf(id, /^attempt 1/);
    setByMs = -DAY_MS;
    await stint.submit(['true'], { hold: true });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', attempt: 2 });
  });

  it('leave nothing of the attempt before running', async () => {
    const { id } = await stint.submit(
      sh('[ $STINT_ATTEMPT = 1 ] && { sleep 600 & sleep 0.3; exit 1; }; exit 0'),
      {
        retries: 1,
        retryDelayS: 0,
      },
    );
    const first = (await stint.until(id, 'running')).process!;
    expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', attempt: 2 });
    await eventually(
      () => jobProcesses(first),
      (pids) => pids.length === 0,
      'nothing of the first attempt to run',
    );
  });

  it('follow a launch that came to nothing, and keep no other job waiting', async () => {
    // A longer argument than the kernel takes.
    const { id } = await stint.submit(['true', 'x'.repeat(131_072)], { gpus: 2, retries: 2, retryDelayS: 0 });
    const other = await stint.submit(['true'], { gpus: 2 });
    const job = await stint.untilOver(id);
    expect(job).toMatchObject({ status: 'failed', attempt: 3, retried: 2, exitCode: null });
    expect(job.cause).toMatch(/could not be started/);
    expect(await stint.untilOver(other.id)).toMatchObject({ status: 'succeeded' });
    expect(await stint.client.jobs.attempts({ id })).toMatchObject(
      [1, 2, 3].map((attempt) => ({ attempt, outcome: 'failed', startedAtMs: null })),
    );
  });

  it('follow an end that nobody saw', async () => {
    const { id } = await stint.submit(sh('[ $STINT_ATTEMPT = 2 ] || exec sleep 600'), {
      retries: 1,
      retryDelayS: 0,
    });
    const job = await stint.until(id, 'running');
    const pids = await eventually(
      () => jobProcesses(job.process!),
      (all) => all.length > 0,
      'the command to start',
    );
    process.kill(job.process!.pid, 'SIGKILL');
    for (const pid of pids) {
      // One that was there a moment ago may have become another, or be gone with the end of its parent.
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', attempt: 2 });
    expect(await stint.client.jobs.attempts({ id })).toMatchObject([
      { outcome: 'lost' },
      { outcome: 'succeeded' },
    ]);
  });

  it('by a person are attempts of the same job, whatever its end was', async () => {
    const mark = join(home, 'mark');
    const { id } = await stint.submit(sh(`echo x >> ${mark}; exit 3`), { retries: 1, retryDelayS: 0 });
    await stint.untilOver(id);
    expect(await stint.client.jobs.retry({ id })).toMatchObject({
      id,
      status: 'queued',
      attempt: 2,
      retried: 0,
    });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'failed', exitCode: 3, attempt: 4 });
    expect(readFileSync(mark, 'utf8')).toBe('x\n'.repeat(4));
    const history = await stint.client.history.jobs({ fromMs: 0, toMs: Date.now() + DAY_MS });
    expect(history.jobs.map((job) => job.id)).toEqual([id]);

    const withdrawn = await stint.submit(['true'], { hold: true });
    await stint.client.jobs.cancel({ id: withdrawn.id });
    await stint.client.jobs.retry({ id: withdrawn.id });
    expect(await stint.untilOver(withdrawn.id)).toMatchObject({
      status: 'succeeded',
      attempt: 1,
      cause: null,
    });

    const running = await stint.submit(sh('sleep 60'));
    await stint.until(running.id, 'running');
    await expect(stint.client.jobs.retry({ id: running.id })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/is running, so it cannot be retried/),
    });
  });
});

describe('dependencies', () => {
  it('start a job when what it waits for has ended as it was to, and say what that is', async () => {
    const go = join(home, 'go');
    const good = await stint.submit(untilFile(go));
    const bad = await stint.submit(untilFile(go, 5));
    const after = [
      { jobId: good.id, on: 'ok' as const },
      { jobId: bad.id, on: 'not-ok' as const },
    ];
    const both = await stint.submit(['true'], { gpus: 0, after });
    await reasonOf(both.id, new RegExp(`^waits for #${good.id} to succeed and for 1 more$`));
    const any = await stint.submit(['true'], { gpus: 0, after: [{ jobId: bad.id, on: 'any' }] });
    await reasonOf(any.id, new RegExp(`^waits for #${bad.id} to end$`));
    await restart();
    await reasonOf(any.id, /^waits for/);
    await stint.client.jobs.cancel({ id: any.id });
    await stint.client.jobs.retry({ id: any.id });
    await reasonOf(any.id, /^waits for/);
    await stint.submit(['touch', go], { gpus: 0 });
    for (const { id } of [both, any]) {
      const job = await stint.untilOver(id);
      expect(job).toMatchObject({ status: 'succeeded' });
      // It has been ready since then, not since it was submitted.
      expect(job.readyAtMs).toBeGreaterThanOrEqual((await get(bad.id)).finishedAtMs!);
    }
  });

  it('cancel what can never start, with all that waits for it in turn', async () => {
    const failing = await stint.submit(sh('sleep 0.3; exit 1'));
    const a = await stint.submit(['true'], { after: [{ jobId: failing.id, on: 'ok' }] });
    const b = await stint.submit(['true'], { hold: true, after: [{ jobId: a.id, on: 'ok' }] });
    const c = await stint.submit(['true'], { after: [{ jobId: b.id, on: 'any' }] });
    expect(await stint.untilOver(a.id)).toMatchObject({
      status: 'cancelled',
      cause: `#${failing.id} is failed, but was to succeed first`,
    });
    expect(await stint.untilOver(b.id)).toMatchObject({
      status: 'cancelled',
      cause: `#${a.id} is cancelled, but was to succeed first`,
    });
    expect(await stint.untilOver(c.id)).toMatchObject({ status: 'succeeded' });

    // Again from the start: first the job that failed, then those that waited for it.
    await expect(stint.client.jobs.retry({ id: a.id })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/could not start: .* retry that job first$/),
    });
    await stint.client.jobs.retry({ id: failing.id });
    expect(await stint.client.jobs.retry({ id: a.id })).toMatchObject({ status: 'queued', cause: null });
    await reasonOf(a.id, /^waits for/);
  });

  it('wait while a job is yet to be tried again', async () => {
    const first = await stint.submit(sh('[ $STINT_ATTEMPT = 2 ]'), { retries: 1, retryDelayS: 0.5 });
    const second = await stint.submit(['true'], { after: [{ jobId: first.id, on: 'ok' }] });
    expect(await stint.untilOver(second.id)).toMatchObject({ status: 'succeeded' });
    expect((await get(second.id)).startedAtMs).toBeGreaterThanOrEqual((await get(first.id)).finishedAtMs!);
  });

  it.each([1, 2, 99])('refuse job %i as a job that is not there yet', async (jobId) => {
    await expect(stint.submit(['true'], { after: [{ jobId, on: 'ok' }] })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'after', value: String(jobId), remedy: expect.stringMatching(/submitted before it$/) },
    });
    expect((await stint.client.jobs.list({})).total).toBe(0);
  });
});

describe('drain', () => {
  it('lets what runs finish, starts nothing, and says so, until it is off, across restarts', async () => {
    const go = join(home, 'go');
    const running = await stint.submit(untilFile(go));
    await stint.until(running.id, 'running');
    expect((await stint.client.scheduler.drain({ on: true })).drainedSinceMs).toBeGreaterThan(0);
    const waiting = await stint.submit(['touch', go], { gpus: 0 });
    const retried = await stint.submit(['true'], { hold: true });
    await stint.client.jobs.release({ id: retried.id });
    await reasonOf(waiting.id, /^the machine is drained/);
    const { drainedSinceMs } = await stint.client.scheduler.status();
    await restart();
    expect((await stint.client.scheduler.status()).drainedSinceMs).toBe(drainedSinceMs);
    await reasonOf(waiting.id, /^the machine is drained/);
    expect(await get(running.id)).toMatchObject({ status: 'running' });
    expect(await kinds(waiting.id)).toEqual(['submitted']);
    expect((await stint.client.scheduler.drain({ on: false })).drainedSinceMs).toBeNull();
    for (const { id } of [waiting, running, retried]) {
      expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded', attempt: 1 });
    }
  });
});
