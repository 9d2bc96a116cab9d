import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/scheduler/policy.ts';
import { reviewInS } from '../../src/scheduler/review.ts';
import { DEFAULT_LIMITS } from '../../src/scheduler/snapshot.ts';
import { NOW_MS, running, snapshot } from './build.ts';

const answer = { index: 0, scores: null, epsilon: null, explored: false, features: null };
const policy = (change: Partial<Policy>): Policy => ({
  name: 'x',
  version: '1',
  choose: () => answer,
  ...change,
});
const since = (s: number) => ({ startedAtMs: NOW_MS - 1000 * s, changedAtMs: NOW_MS - 1000 * s });

describe('a policy is asked again', () => {
  const limits = { ...DEFAULT_LIMITS, minSpellS: 300 };
  const snap = snapshot({
    running: [
      running(1, ['g0'], { restartable: true, ...since(100) }),
      running(2, ['g1'], { restartable: false, ...since(250) }),
      running(3, ['g1'], { restartable: true, ...since(299), pausedBy: 'person' }),
      running(4, ['g1'], { restartable: true, ...since(400) }),
    ],
  });

  it('when it wants to be, else never', () => {
    expect(reviewInS(policy({ reviewAfterS: () => 70 }), snap, limits, [])).toBe(70);
    expect(reviewInS(policy({}), snap, limits, [])).toBe(Number.POSITIVE_INFINITY);
  });

  it('when the protection of a job ends that it may ask to give way', () => {
    expect(reviewInS(policy({ preempts: true }), snap, limits, [])).toBe(200);
    expect(reviewInS(policy({ preempts: true }), snap, { ...limits, mayPause: true }, [])).toBe(50);
    expect(reviewInS(policy({ preempts: true, reviewAfterS: () => 70 }), snap, limits, [])).toBe(70);
  });
});
