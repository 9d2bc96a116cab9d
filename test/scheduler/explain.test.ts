import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { decide } from '../../src/scheduler/decide.ts';
import { waitingReasons } from '../../src/scheduler/explain.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { DEFAULT_LIMITS, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { device, GIB, NOW_MS, running, snapshot, waiting } from './build.ts';

const whole = { vramMib: null };
const older = { waitingSinceMs: NOW_MS - 3_600_000 };

function sentence(snap: Snapshot, policy: Policy = heuristicByName('first-fit')): string {
  const heuristic = heuristicByName('first-fit');
  return decide({ snapshot: snap, policy, heuristic, rng: seededRng(1), limits: DEFAULT_LIMITS }).sentence;
}

/** Chooses the candidate with the highest of these scores. */
function scored(scores: readonly number[], explored = false): Policy {
  const index = scores.indexOf(Math.max(...scores));
  return {
    name: 'dqn',
    version: '1',
    choose: () => ({ index, scores, epsilon: 0.1, explored, features: null }),
  };
}

describe('the sentence of a launch', () => {
  it('names the device, the neighbours and what is left', () => {
    const devices = [device(0)];
    const snap = snapshot({
      devices,
      waiting: [waiting(12, { vramMib: 5 * GIB })],
      running: [running(9, ['g0'], { vramMib: 8 * GIB })],
    });
    expect(sentence(snap)).toBe('started #12 on GPU 0 beside #9: 11 GiB left');
    expect(sentence({ ...snap, running: [] })).toBe('started #12 on GPU 0: 19 GiB left');
  });

  it('says when the device is not shared, or none is used', () => {
    expect(sentence(snapshot({ waiting: [waiting(1, { gpus: 2, ...whole })] }))).toBe(
      'started #1 on GPUs 0 and 1, not shared',
    );
    expect(sentence(snapshot({ waiting: [waiting(1, { gpus: 0 })] }))).toBe('started #1 without a GPU');
  });

  it('says who waits longer and why that one did not start', () => {
    const wide = waiting(14, { gpus: 2, ...whole, ...older });
    const snap = snapshot({ waiting: [wide, waiting(15)], running: [running(9, ['g0'], whole)] });
    expect(sentence(snap)).toBe(
      'started #15 on GPU 1: 20 GiB left; #14 waits longer: needs 2 GPUs, 1 is free',
    );
    const free = snapshot({ waiting: [waiting(14, older), waiting(15)] });
    expect(sentence(free, scored([0.1, 0.9, 0]))).toBe(
      'started #15 on GPU 0: 20 GiB left; #14 waits longer: it could start too, but was scored lower',
    );
    expect(sentence(free, scored([0, 1, 0], true))).toBe(
      'started #15 on GPU 0: 20 GiB left; tried at random, to learn',
    );
  });

  it('says when the shield demanded it', () => {
    const old = { waitingSinceMs: NOW_MS - 7.5 * 3_600_000 };
    expect(sentence(snapshot({ waiting: [waiting(1, old), waiting(2)] }))).toBe(
      'started #1 on GPU 0: 20 GiB left; it has waited 7 h 30 min, too long, and goes first',
    );
    expect(sentence(snapshot({ waiting: [waiting(7, { moved: true }), waiting(1, old)] }))).toBe(
      'started #7 on GPU 0: 20 GiB left; you moved it ahead of #1, which has waited longest',
    );
  });
});

describe('the sentence of a wait', () => {
  const blocked = waiting(1, { gpus: 2, ...whole });
  const busy = [running(9, ['g0'], whole)];

  it('says what the first in the queue waits for', () => {
    expect(sentence(snapshot())).toBe('started nothing: no job waits');
    expect(sentence(snapshot({ waiting: [blocked], running: busy }))).toBe(
      'started nothing; #1: needs 2 GPUs, 1 is free',
    );
    expect(sentence(snapshot({ waiting: [blocked, { ...blocked, id: 2 }], running: busy }))).toBe(
      'started nothing: 2 jobs wait; #1: needs 2 GPUs, 1 is free',
    );
  });

  it('says what could have started, and why it was not', () => {
    const snap = snapshot({ waiting: [blocked, waiting(2)], running: busy });
    expect(sentence(snap, heuristicByName('fifo'))).toBe(
      'started nothing, though #2 fits on GPU 1: #1 is first in the queue: needs 2 GPUs, 1 is free',
    );
    expect(sentence(snap, scored([-2, -1]))).toBe(
      'started nothing, though #2 fits on GPU 1: dqn scored waiting higher',
    );
    expect(sentence(snap, scored([0, 1], true))).toBe(
      'started nothing, though #2 fits on GPU 1: waiting was tried at random, to learn',
    );
  });
});

describe('waiting reasons', () => {
  it('gives every waiting job its own', () => {
    const devices = [device(0), device(1, { foreignMib: 11.2 * GIB })];
    const snap = snapshot({
      devices,
      running: [running(9, ['g0'], { vramMib: 16 * GIB })],
      waiting: [
        waiting(1, { vramMib: 13 * GIB }),
        waiting(2, { gpus: 2, ...whole }),
        waiting(3),
        waiting(4, { moved: true }),
        waiting(5),
      ],
    });
    expect(Object.fromEntries(waitingReasons(snap, DEFAULT_LIMITS))).toEqual({
      1: 'GPU memory: needs 13 GiB, most free is 7.8 GiB on GPU 0',
      2: "needs 2 GPUs, but GPU 1 holds 11.2 GiB of others' processes",
      3: 'fits now: the scheduler has not chosen it yet',
      4: 'fits now: the scheduler has not chosen it yet',
      5: 'behind #4, which you moved',
    });
  });

  it('names the starving job, and does not change with the clock', () => {
    const old = { waitingSinceMs: NOW_MS - 8 * 3_600_000 };
    const snap = snapshot({ waiting: [waiting(1), waiting(3, old)] });
    const reasons = waitingReasons(snap, DEFAULT_LIMITS);
    expect([...reasons]).toEqual([
      [1, '#3 has waited longest and goes first'],
      [3, 'starts next: it goes first now'],
    ]);
    expect(waitingReasons({ ...snap, nowMs: NOW_MS + 60_000 }, DEFAULT_LIMITS)).toEqual(reasons);
    expect(waitingReasons(snapshot(), DEFAULT_LIMITS).size).toBe(0);
  });
});
