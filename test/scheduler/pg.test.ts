import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../src/scheduler/features.ts';
import { encodeWeights, initialWeights, type Weights, WeightsError } from '../../src/scheduler/network.ts';
import { policyOf } from '../../src/scheduler/policies/acting.ts';
import { createPgPolicy } from '../../src/scheduler/policies/pg.ts';
import { running, snapshot, waiting } from './build.ts';

/** Scores every launch one below waiting. */
const cautious = (): Weights =>
  initialWeights(seededRng(1), FEATURE_COUNT, {
    hidden: [4],
    dueling: false,
    preempts: false,
    prior: { column: FEATURE_NAMES.indexOf('launch'), scale: -1 },
  });

const question = (seed: number) => ({
  snapshot: snapshot({ waiting: [waiting(1), waiting(2)], running: [running(3, ['g1'])] }),
  candidates: [
    { kind: 'launch' as const, jobId: 1, deviceIds: ['g0'] },
    { kind: 'launch' as const, jobId: 2, deviceIds: ['g0'] },
    { kind: 'wait' as const },
  ],
  history: [],
  rng: seededRng(seed),
});

describe('the policy gradient’s actor', () => {
  it('takes the most probable, or draws as its scores say', () => {
    const weights = cautious();
    expect(createPgPolicy({ weights, version: 'x' }).choose(question(1))).toMatchObject({
      index: 2,
      scores: [-1, -1, 0],
      explored: false,
    });
    const drawing = createPgPolicy({ weights, version: 'x', temperature: 1 });
    const counts = [0, 0, 0];
    for (let seed = 1; seed <= 600; seed++) counts[drawing.choose(question(seed)).index]!++;
    // e : 1 : 1, of 600: within six deviations.
    const expected = (600 * Math.E) / (Math.E + 2);
    expect(Math.abs(counts[2]! - expected)).toBeLessThan(6 * Math.sqrt(600 * 0.25));
    expect(Math.min(counts[0]!, counts[1]!)).toBeGreaterThan(60);
  });

  it('is the same for another process, and refuses to choose without weights', () => {
    const weights = encodeWeights(cautious(), FEATURE_NAMES);
    const far = policyOf({ name: 'pg', version: 'x', weights, bandit: null });
    expect(far.choose(question(1)).index).toBe(2);
    const none = policyOf({ name: 'pg', version: 'x', weights: null, bandit: null });
    expect(() => none.choose(question(1))).toThrow(WeightsError);
  });
});
