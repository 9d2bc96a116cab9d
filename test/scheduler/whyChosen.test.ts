import { describe, expect, it } from 'vitest';
import { featureWords } from '../../src/domain/featureWords.ts';
import { DISCOUNT_RATE_PER_S } from '../../src/domain/reward.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { decide } from '../../src/scheduler/decide.ts';
import { FEATURE_COUNT, FEATURE_NAMES, featuresOf } from '../../src/scheduler/features.ts';
import { forward, initialWeights, type Weights } from '../../src/scheduler/network.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../../src/scheduler/policies/dqn.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import { DEFAULT_LIMITS } from '../../src/scheduler/snapshot.ts';
import { effectsOf, waitMinutes, whyChosen } from '../../src/scheduler/whyChosen.ts';
import { brief, snapshot, waiting } from './build.ts';

/** A network without hidden layers: the score is a sum of features, so that each one's worth is known. */
function sum(worth: Readonly<Record<string, number>>): Weights {
  const advantage = new Float32Array(FEATURE_COUNT);
  for (const [name, value] of Object.entries(worth)) advantage[FEATURE_NAMES.indexOf(name)] = value;
  return {
    ...initialWeights(seededRng(1), FEATURE_COUNT, []),
    trunk: [],
    advantage,
    value: new Float32Array(FEATURE_COUNT),
    valueBias: new Float32Array(1),
  };
}

const two = snapshot({
  waiting: [waiting(1), waiting(2, { priority: 10, vramMib: 2048 })],
});

function stepWith(weights: Weights) {
  const policy = createDqnPolicy({ weights, version: 'w', exploration: NO_EXPLORATION });
  const heuristic = heuristicByName('aged');
  return decide({ snapshot: two, policy, heuristic, rng: seededRng(1), limits: DEFAULT_LIMITS });
}

describe('why one was chosen', () => {
  it('finds what each feature is worth where that is known', () => {
    const weights = sum({ priority: 3, vramOfDevice: -0.5, launch: 1 });
    const step = stepWith(weights);
    expect(step.chosen).toMatchObject({ kind: 'launch', jobId: 2 });
    const why = whyChosen(step, two, weights)!;
    expect(why.otherwise).toMatchObject({ kind: 'launch', jobId: 1 });
    const rows = featuresOf(two, step.allowedActions);
    const other = step.allowedActions.indexOf(why.otherwise);
    const worth = (name: string, of: number): number => {
      const at = (row: number): number => rows[row * FEATURE_COUNT + FEATURE_NAMES.indexOf(name)]!;
      return of * (at(step.choice!.index) - at(other));
    };
    expect(why.features[0]).toMatchObject({ name: 'priority' });
    expect(why.features[0]!.effect).toBeCloseTo(worth('priority', 3), 5);
    const memory = why.features.find(({ name }) => name === 'vramOfDevice')!;
    expect(memory.effect).toBeCloseTo(worth('vramOfDevice', -0.5), 5);
    // Both start a job, and nothing else counts for this network.
    expect(why.features.map(({ name }) => name).sort()).toEqual(['priority', 'vramOfDevice']);
    expect(why.gap).toBeCloseTo(
      why.features.reduce((total, { effect }) => total + effect, 0),
      5,
    );
  });

  it('agrees with the scores of the whole decision, for a network with hidden layers', () => {
    const weights = initialWeights(seededRng(7), FEATURE_COUNT, [16, 8]);
    const features = featuresOf(two, stepWith(weights).allowedActions);
    const rows = features.length / FEATURE_COUNT;
    const scores = forward(weights, features, rows);
    const { gap, effects } = effectsOf(weights, features, 0, rows - 1);
    expect(gap).toBeCloseTo(scores[0]! - scores[rows - 1]!, 4);
    for (const { column, chosen, otherwise, effect } of effects.slice(0, 5)) {
      expect(chosen).not.toBe(otherwise);
      const changed = features.slice();
      changed[column] = otherwise;
      const again = forward(weights, changed, rows);
      expect(effect).toBeCloseTo(gap - (again[0]! - again[rows - 1]!), 4);
    }
  });

  it('tells a difference of scores in minutes of waiting', () => {
    // One job that waits ten minutes more on one device, undiscounted: a cost rate of a half.
    const gap = 600 * 0.5 * DISCOUNT_RATE_PER_S;
    expect(waitMinutes(gap, { completion: 1, utilisation: 0, fairness: 0 }, 1)).toBeCloseTo(10, 9);
    expect(waitMinutes(gap, { completion: 2, utilisation: 0, fairness: 0 }, 1)).toBeCloseTo(5, 9);
    expect(waitMinutes(-gap, { completion: 1, utilisation: 0, fairness: 0 }, 4)).toBeCloseTo(-40, 9);
    expect(waitMinutes(gap, { completion: 0, utilisation: 1, fairness: 0 }, 1)).toBeNull();
  });

  it('says nothing of a policy that does not score', () => {
    const heuristic = heuristicByName('aged');
    const step = decide({
      snapshot: two,
      policy: heuristic,
      heuristic,
      rng: seededRng(1),
      limits: DEFAULT_LIMITS,
    });
    expect(brief(step.chosen)).toBe('2>g0');
    expect(whyChosen(step, two, sum({}))).toBeNull();
  });

  it('has words for every feature in which candidates differ', () => {
    const global = new Set(FEATURE_NAMES.slice(33, 50).concat(['crowd', 'sharingLevel']));
    const silent = FEATURE_NAMES.filter((name) => !global.has(name) && featureWords(name) === name);
    expect(silent).toEqual([]);
  });
});
