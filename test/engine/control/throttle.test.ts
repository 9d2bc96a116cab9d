import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTerminal, type Job } from '../../../src/domain/job.ts';
import { jobProcesses, listProcesses } from '../../../src/engine/jobs/processes.ts';
import {
  eventually,
  removeHome,
  startEngine,
  type TestEngine,
  temporaryHome,
} from '../support/testEngine.ts';

let home: string;
let stint: TestEngine;

beforeEach(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
});
afterEach(async () => {
  for (const job of (await stint.client.jobs.list({})).jobs) {
    if (isTerminal(job.status)) continue;
    await stint.client.jobs.cancel({ id: job.id });
    await stint.untilOver(job.id);
  }
  await stint.engine.stop();
  removeHome(home);
  await eventually(
    () => cyclers().length,
    (left) => left === 0,
    'the processes that throttle to be gone',
  );
});

/** A shell, a Python that forked, and a process that left for a session of its own: all of them busy. */
const TREE = [
  'bash',
  '-c',
  `python3 -c 'import os
os.fork()
while True: pass' &
  setsid sh -c 'while :; do :; done' &
  sleep 1000 &
  while :; do :; done`,
];
const states = (pids: readonly number[]): string[] =>
  pids.map((pid) => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '')[0]!);
const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'latin1');
/** Once all of it is there, and nothing any more of what the supervisor needs at first. */
const treeOf = (job: Pick<Job, 'process'>) =>
  eventually(
    () => jobProcesses(job.process!),
    (pids) => {
      try {
        return pids.length === 5 && pids.filter((pid) => /^[^\0]*python/.test(commandOf(pid))).length === 2;
      } catch {
        return false;
      }
    },
    'the tree to be there',
  );
/** Children of this process that throttle. */
const cyclers = (): number[] =>
  listProcesses()
    .filter(({ pid, ppid, state }) => {
      if (ppid !== process.pid || state.startsWith('Z')) return false;
      return commandOf(pid).includes('dutyChild');
    })
    .map(({ pid }) => pid);

/** The part of the time in which each process did not stand still, by looking often. Ends after so many looks. */
async function timeRunning(pids: readonly number[], looks: number): Promise<number[]> {
  const ran = pids.map(() => 0);
  let all = 0;
  for (let look = 0, lastMs = performance.now(); look < looks; look++) {
    await new Promise((resolve) => setTimeout(resolve, 7));
    const nowMs = performance.now();
    const tookMs = nowMs - lastMs;
    lastMs = nowMs;
    all += tookMs;
    states(pids).forEach((state, i) => {
      if (state !== 'T') ran[i]! += tookMs;
    });
  }
  return ran.map((ms) => ms / all);
}
const allRun = (pids: readonly number[]) =>
  eventually(
    async () => (await timeRunning(pids, 60)).every((part) => part === 1),
    Boolean,
    'all to run all of the time',
  );

describe('a job that is throttled', () => {
  it.each([0.4, 0.7])(
    'has %d of the time, all of its tree, within 5 points',
    { timeout: 120_000 },
    async (share) => {
      const job = await stint.until((await stint.submit(TREE)).id, 'running');
      const pids = await treeOf(job);
      const throttled = await stint.client.jobs.throttle({ id: job.id, share });
      expect(throttled).toMatchObject({ status: 'running', throttle: { share, method: 'duty-cycle' } });
      await eventually(
        () => states(pids),
        (now) => now.every((state) => state === 'T'),
        'the first slice of standing still',
      );
      // One that does nothing hears at once that it is to stand still; a busy one first has to get its turn of a processor.
      const witness = pids.filter((pid) => commandOf(pid).startsWith('sleep'));
      expect(witness).toHaveLength(1);
      // The loop closes within seconds; a machine that is busy with other work may keep it from that for a while.
      await eventually(
        async () => (await timeRunning(witness, 400))[0]!,
        (part) => Math.abs(part - share) < 0.05,
        `it to have ${share} of the time`,
        60_000,
      );
      expect(await stint.client.jobs.throttle({ id: job.id, share: null })).toMatchObject({ throttle: null });
      await allRun(pids);
      expect((await stint.client.jobs.events({ id: job.id })).map(({ event }) => event.kind)).toEqual([
        'submitted',
        'launching',
        'started',
        'throttled',
        'throttled',
      ]);
    },
  );

  it('stands still while it is paused, and is held again when it goes on', async () => {
    const job = await stint.until((await stint.submit(TREE)).id, 'running');
    const pids = await treeOf(job);
    await stint.client.jobs.throttle({ id: job.id, share: 0.5 });
    await eventually(
      () => states(pids),
      (now) => now.every((state) => state === 'T'),
      'it to be cycled',
    );
    await stint.client.jobs.pause({ id: job.id });
    await eventually(
      async () => (await timeRunning(pids, 60)).every((part) => part === 0),
      Boolean,
      'all to stand still all of the time',
    );
    expect(await stint.client.jobs.resume({ id: job.id })).toMatchObject({ throttle: { share: 0.5 } });
    await eventually(
      async () => (await timeRunning(pids, 60)).every((part) => part > 0 && part < 1),
      Boolean,
      'it to be cycled again',
    );
  });

  it('goes on at full speed, however late the process that throttled it hears of that', async () => {
    const job = await stint.until((await stint.submit(TREE)).id, 'running');
    const pids = await treeOf(job);
    await stint.client.jobs.throttle({ id: job.id, share: 0.5 });
    await eventually(
      () => states(pids),
      (now) => now.every((state) => state === 'T'),
      'it to be cycled',
    );
    const [cycler] = cyclers();
    process.kill(cycler!, 'SIGSTOP');
    await stint.client.jobs.pause({ id: job.id });
    await stint.client.jobs.throttle({ id: job.id, share: null });
    await stint.client.jobs.resume({ id: job.id });
    process.kill(cycler!, 'SIGCONT');
    await eventually(
      () => cyclers().length,
      (left) => left === 0,
      'it to have heard, and to be gone',
    );
    await allRun(pids);
  });

  it('runs freely while no engine is there, and is held again by the next', async () => {
    const job = await stint.until((await stint.submit(TREE)).id, 'running');
    const pids = await treeOf(job);
    await stint.client.jobs.throttle({ id: job.id, share: 0.3 });
    await eventually(
      () => states(pids),
      (now) => now.every((state) => state === 'T'),
      'it to be cycled',
    );
    await stint.engine.stop();
    await allRun(pids);
    stint = await startEngine({ home });
    await eventually(
      () => states(pids),
      (now) => now.every((state) => state === 'T'),
      'it to be cycled again',
    );
  });

  it('is held by another process when the first was killed, and says so', async () => {
    const job = await stint.until((await stint.submit(TREE)).id, 'running');
    const pids = await treeOf(job);
    await stint.client.jobs.throttle({ id: job.id, share: 0.3 });
    await eventually(
      () => states(pids),
      (now) => now.every((state) => state === 'T'),
      'it to be cycled',
    );
    const [first] = cyclers();
    process.kill(first!, 'SIGKILL');
    await eventually(
      () => cyclers(),
      ([now]) => now !== undefined && now !== first,
      'another',
    );
    await eventually(
      () => states(pids),
      (now) => now.every((state) => state === 'T'),
      'it to be cycled again',
    );
    expect(stint.complaints.join()).toMatch(/the process that throttles jobs ended with SIGKILL/);
  });

  it('is only one that runs or is paused', async () => {
    const { id } = await stint.submit(['true'], { hold: true });
    await expect(stint.client.jobs.throttle({ id, share: 0.5 })).rejects.toThrow(/cannot be throttled/);
    await expect(stint.client.jobs.throttle({ id, share: 1.5 })).rejects.toThrow(/0.99/);
  });
});

describe('pausing so that memory is free', () => {
  const waits = 'trap "echo saved; exit 0" USR1; echo "attempt $STINT_ATTEMPT"; while :; do sleep 0.02; done';

  it('ends a restartable job at its checkpoint, and resumes it from there', async () => {
    const { id } = await stint.submit(['bash', '-c', waits], {
      restartable: true,
      checkpointSignal: 'SIGUSR1',
    });
    await eventually(
      async () => (await stint.client.logs.read({ id })).text,
      (text) => text.includes('attempt 1'),
      'it to be ready',
    );
    await stint.client.jobs.pause({ id, freeVram: true });
    const parked = await stint.until(id, 'held');
    expect(parked).toMatchObject({ devices: [], pauseMethod: 'checkpoint', preemptions: 0, process: null });
    expect(await stint.client.jobs.resume({ id })).toMatchObject({ status: 'queued', pauseMethod: null });
    expect(await stint.until(id, 'running')).toMatchObject({ attempt: 2 });
  });

  it('refuses with why where it cannot, and leaves the job as it is', async () => {
    const { id } = await stint.submit(['sleep', '300']);
    await stint.until(id, 'running');
    await expect(stint.client.jobs.pause({ id, freeVram: true })).rejects.toThrow(/cannot be freed/);
    expect(await stint.client.jobs.get({ id })).toMatchObject({ status: 'running' });
  });
});
