import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTerminal } from '../../../src/domain/job.ts';
import { jobProcesses } from '../../../src/engine/jobs/processes.ts';
import { type Clock, systemClock } from '../../../src/engine/ports.ts';
import {
  eventually,
  removeHome,
  startEngine,
  type TestEngine,
  temporaryHome,
} from '../support/testEngine.ts';

let home: string;
let stint: TestEngine;
/** Hours go by at once, as far as a policy can tell. */
let aheadMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };

beforeEach(async () => {
  home = temporaryHome();
  aheadMs = 0;
  stint = await startEngine({ home, clock });
});
afterEach(async () => {
  await stint.client.scheduler.drain({ on: true });
  for (const job of (await stint.client.jobs.list({})).jobs) {
    if (isTerminal(job.status)) continue;
    if (job.status !== 'stopping') await stint.client.jobs.cancel({ id: job.id });
    await stint.untilOver(job.id);
  }
  expect(stint.complaints).toEqual([]);
  await stint.engine.stop();
  removeHome(home);
});

const sh = (script: string): string[] => ['bash', '-c', script];
const log = async (id: number, attempt?: number): Promise<string> =>
  (await stint.client.logs.read({ id, ...(attempt === undefined ? {} : { attempt }) })).text;
const logged = (id: number, text: string) =>
  eventually(
    () => log(id),
    (all) => all.includes(text),
    `job ${id} to print ${text}`,
  );

/** Counts its steps, keeps the count where it is to keep it, and goes on from there. */
const TRAINING = sh(`
  step=$(cat "$STINT_CHECKPOINT_DIR/step" 2>/dev/null || echo 0)
  echo "from $step, restart $STINT_RESTART_COUNT"
  trap 'echo $step > "$STINT_CHECKPOINT_DIR/step"; echo saved; exit 0' USR1
  while [ ! -e "$STINT_CHECKPOINT_DIR/enough" ]; do step=$((step + 1)); sleep 0.02; done
  echo done`);
const RESTARTABLE = { restartable: true, checkpointSignal: 'SIGUSR1', graceS: 20 } as const;

describe('a job that is preempted', () => {
  it('writes its checkpoint, waits, and goes on from there in the same place', async () => {
    const { id } = await stint.submit(TRAINING, RESTARTABLE);
    await logged(id, 'restart 0');
    await stint.client.scheduler.drain({ on: true });
    expect(await stint.client.jobs.preempt({ id })).toMatchObject({ status: 'stopping' });
    const waiting = await stint.until(id, 'queued');
    expect(waiting).toMatchObject({ preemptions: 1, retried: 0, devices: [], exitCode: null });
    expect(await log(id)).toContain('saved');
    await stint.client.scheduler.drain({ on: false });
    await stint.until(id, 'running');
    const more = await logged(id, 'restart 1');
    expect(more).toMatch(/from [1-9]\d*, restart 1/);
    expect(await stint.client.jobs.attempts({ id })).toMatchObject([
      { outcome: 'preempted', exitCode: 0, cause: 'preempted by a person' },
      { outcome: 'open' },
    ]);
  });

  it('is ended by SIGTERM where nothing in it handles the signal, and by SIGKILL where that does not help', async () => {
    const stubborn = sh('trap "echo asked" TERM; echo ready; while :; do sleep 0.05; done');
    const { id } = await stint.submit(stubborn, { ...RESTARTABLE, graceS: 100 });
    await logged(id, 'ready');
    await stint.client.scheduler.drain({ on: true });
    await stint.client.jobs.preempt({ id });
    await stint.until(id, 'queued');
    expect(await log(id)).toContain('asked');
    expect((await stint.client.jobs.attempts({ id }))[0]).toMatchObject({ exitCode: 137 });
  });

  it('leaves nothing of its tree, wherever that went', async () => {
    const { id } = await stint.submit(
      sh('setsid sleep 300 & (sleep 301 & sleep 302) & sleep 303'),
      RESTARTABLE,
    );
    const { process } = await stint.until(id, 'running');
    const pids = await eventually(
      () => jobProcesses(process!),
      (found) => found.length >= 5,
      'the tree to be there',
    );
    await stint.client.scheduler.drain({ on: true });
    await stint.client.jobs.preempt({ id });
    await stint.until(id, 'queued');
    await eventually(
      () => pids.filter((pid) => existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(status(pid))),
      (left) => left.length === 0,
      'all of them to be gone',
    );
  });

  it('can still be cancelled', async () => {
    const { id } = await stint.submit(
      sh('trap "" USR1; trap : TERM; echo ready; sleep 300 & wait; sleep 300'),
      {
        ...RESTARTABLE,
        checkpointSignal: 'SIGTERM',
        // Both signals may come while the shell waits for its first child: then only SIGKILL ends it.
        graceS: 2,
      },
    );
    await logged(id, 'ready');
    await stint.client.jobs.preempt({ id });
    await stint.client.jobs.cancel({ id });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'cancelled', preemptions: 0 });
  });

  it('is only one that says it can go on', async () => {
    const { id } = await stint.submit(sh('sleep 300'));
    await stint.until(id, 'running');
    await expect(stint.client.jobs.preempt({ id })).rejects.toThrow(/go on from a checkpoint/);
    expect(await stint.client.jobs.get({ id })).toMatchObject({ status: 'running' });
  });

  it('is told again by the next engine, and not taken for one that was over by itself', async () => {
    const { id } = await stint.submit(
      sh(`trap 'sleep 1; echo saved; exit 0' USR1; echo ready; while :; do sleep 0.02; done`),
      RESTARTABLE,
    );
    await logged(id, 'ready');
    await stint.client.scheduler.drain({ on: true });
    await stint.client.jobs.preempt({ id });
    await stint.engine.stop();
    expect(existsSync(join(home, 'jobs', String(id), '1', 'told'))).toBe(true);
    stint = await startEngine({ home, clock });
    expect(await stint.until(id, 'queued')).toMatchObject({ preemptions: 1 });
    expect(await log(id, 1)).toContain('saved');
  });
});

describe('preemption by a policy', () => {
  const order = async () =>
    (await stint.client.scheduler.decisions({ limit: 50 }))
      .toReversed()
      .map(({ candidates, chosen }) => candidates[chosen]!.action)
      .flatMap((action) => (action.kind === 'wait' ? [] : [`${action.kind} ${action.jobId}`]));

  it('stops the job that has had most for one that had nothing, and lets it go on afterwards', async () => {
    await stint.client.scheduler.setPolicy({ policy: 'las' });
    await stint.client.scheduler.setGiveWay({ minSpellS: 0 });
    const long = await stint.submit(TRAINING, { ...RESTARTABLE, gpus: 2 });
    await logged(long.id, 'restart 0');
    aheadMs = 3_600_000;
    const short = await stint.submit(sh('echo short'), { gpus: 2 });
    expect(await stint.untilOver(short.id)).toMatchObject({ status: 'succeeded' });
    await logged(long.id, 'restart 1');
    expect((await order()).slice(0, 4)).toEqual([
      `launch ${long.id}`,
      `preempt ${long.id}`,
      `launch ${short.id}`,
      `launch ${long.id}`,
    ]);
    const [last] = await stint.client.scheduler.decisions({ limit: 50, jobId: long.id });
    expect(last!.policy).toBe('las');
    const stopped = (await stint.client.scheduler.decisions({ limit: 50 })).find(
      ({ candidates, chosen }) => candidates[chosen]!.action.kind === 'preempt',
    );
    expect(stopped!.sentence).toMatch(/^stopped #1 at its checkpoint on GPUs 0 and 1/);
    expect((await stint.client.jobs.get({ id: long.id })).preemptions).toBe(1);
  });

  it.each([
    ['it is switched off', { preempt: false, minSpellS: 0 }, RESTARTABLE],
    ['the job has only just started', { minSpellS: 7200 }, RESTARTABLE],
    ['it has given way often enough', { maxPreemptions: 0, minSpellS: 0 }, RESTARTABLE],
    ['the job does not say that it can go on', { minSpellS: 0 }, {}],
  ])('does not happen where %s', async (_why, limits, more) => {
    await stint.client.scheduler.setPolicy({ policy: 'las' });
    await stint.client.scheduler.setGiveWay(limits);
    const long = await stint.submit(TRAINING, { ...more, gpus: 2 });
    await logged(long.id, 'restart 0');
    aheadMs = 3_600_000;
    const short = await stint.submit(sh('echo short'), { gpus: 2 });
    await eventually(
      async () => (await stint.client.jobs.get({ id: short.id })).waitingReason,
      (reason) => reason !== null && !reason.startsWith('new'),
      'the short job to be looked at',
    );
    expect(await order()).toEqual([`launch ${long.id}`]);
  });

  it('pauses in place where the owner lets it, lets go on what it paused, and never what a person did', async () => {
    await stint.client.scheduler.setPolicy({ policy: 'las' });
    await stint.client.scheduler.setGiveWay({ pause: true, minSpellS: 0 });
    const share = { gpus: 2, vramMib: 1000, exclusive: true };
    const long = await stint.submit(TRAINING, share);
    await logged(long.id, 'restart 0');
    aheadMs = 3_600_000;
    const short = await stint.submit(
      sh('until [ -e "$STINT_CHECKPOINT_DIR/enough" ]; do sleep 0.02; done'),
      share,
    );
    expect(await stint.until(long.id, 'paused')).toMatchObject({ pausedBy: 'scheduler', holdsVram: true });
    await stint.until(short.id, 'running');
    const mine = await stint.client.jobs.pause({ id: short.id });
    expect(mine).toMatchObject({ status: 'paused', pausedBy: 'person' });
    // Off: what the scheduler paused goes on, what the person paused does not.
    await stint.client.scheduler.setGiveWay({ pause: false });
    await stint.until(long.id, 'running');
    expect(await stint.client.jobs.get({ id: short.id })).toMatchObject({ status: 'paused' });
  });
});

const status = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return 'State:\tZ';
  }
};
