import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import type { Job } from '../../../src/domain/job.ts';
import { ProcessOwners } from '../../../src/engine/devices/processOwners.ts';
import { identityOf } from '../../../src/engine/jobs/processes.ts';
import { eventually } from '../support/testEngine.ts';

const children: ChildProcess[] = [];
const strays: number[] = [];
afterEach(async () => {
  for (const pid of strays.splice(0)) process.kill(pid, 'SIGKILL');
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }
});

/** A process in a session of its own that writes pids of its descendants, one a line. */
async function family(script: string, pids: number, env: Record<string, string> = {}) {
  const child = spawn('bash', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  const found: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    found.push(Number(line));
    if (found.length === pids) break;
  }
  strays.push(...found);
  return { root: identityOf(child.pid!)!, found };
}

const ownersOf = (jobs: { id: number; process: Job['process'] }[], seq = { now: 1 }) =>
  new ProcessOwners({
    live: () => jobs as Job[],
    liveSeq: () => seq.now,
    runsPath: '/home/of/stint/jobs',
    monotonicMs: () => performance.now(),
  });

it('finds children, grandchildren, and those that left the session while their parents are there', async () => {
  const { root, found } = await family(
    'sleep 71 & echo $!; bash -c "sleep 72 & echo \\$!; wait" & setsid bash -c "echo \\$\\$; exec sleep 73" & wait',
    3,
  );
  const owners = ownersOf([{ id: 7, process: root }]);
  expect(found.map((pid) => owners.jobOf(pid))).toEqual([7, 7, 7]);
  expect(owners.jobOf(process.pid)).toBeNull();
  expect(owners.jobOf(2 ** 22 + 1)).toBeNull();
});

it('remembers whose it was when its parents are gone', async () => {
  const { root, found } = await family('setsid bash -c "echo \\$\\$; exec sleep 74" & wait', 1);
  const owners = ownersOf([{ id: 7, process: root }]);
  const [pid] = found as [number];
  // The new session is there as soon as the number is written.
  expect(owners.jobOf(pid)).toBe(7);
  process.kill(root.pid, 'SIGKILL');
  await once(children[0]!, 'exit');
  expect(owners.jobOf(pid)).toBe(7);
  // Nobody else would know: it has a new parent and its own session.
  expect(ownersOf([{ id: 7, process: root }]).jobOf(pid)).toBeNull();
});

it('knows by the environment what a job left behind, and only our own', async () => {
  const left = 'setsid bash -c "echo \\$\\$; exec sleep 75" & wait';
  const ours = await family(left, 1, { STINT_RUN_DIR: '/home/of/stint/jobs/12/3' });
  const others = await family(left, 1, { STINT_RUN_DIR: '/home/of/another/jobs/12/3' });
  const owners = ownersOf([]);
  expect(
    await eventually(
      () => owners.jobOf(ours.found[0]!),
      (id) => id === 12,
      'the marker to be read',
    ),
  ).toBe(12);
  expect(owners.jobOf(others.found[0]!)).toBeNull();
});

it('does not take another process of the same number for a supervisor', async () => {
  const { root, found } = await family('sleep 76 & echo $!; wait', 1);
  const owners = ownersOf([{ id: 7, process: { ...root, startTime: '1' } }]);
  expect(owners.jobOf(found[0]!)).toBeNull();
});
