import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { decide } from '../../src/scheduler/decide.ts';
import { FEATURE_COUNT, FEATURE_NAMES, featuresOf } from '../../src/scheduler/features.ts';
import { forward, initialWeights, type Weights, WeightsError } from '../../src/scheduler/network.ts';
import {
  createDqnPolicy,
  epsilonAt,
  LIVE_EXPLORATION,
  NO_EXPLORATION,
} from '../../src/scheduler/policies/dqn.ts';
import { fifo } from '../../src/scheduler/policies/fifo.ts';
import { DEFAULT_LIMITS, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { device, running, snapshot, waiting } from './build.ts';

/** Q = factor · feature (less its mean over the candidates). */
function liking(feature: string, factor = 1): Weights {
  const weights = initialWeights(seededRng(1), FEATURE_COUNT, []);
  weights.advantage.fill(0);
  weights.value.fill(0);
  weights.advantage[FEATURE_NAMES.indexOf(feature)] = factor;
  return weights;
}

const busy = (): Snapshot =>
  snapshot({
    devices: [device(0), device(1)],
    running: [running(9, ['g1'])],
    waiting: [waiting(1, { priority: 1 }), waiting(2, { priority: 50 }), waiting(3, { priority: -4 })],
  });
const choose = (policy: Parameters<typeof decide>[0]['policy'], on = busy(), seed = 1) =>
  decide({ snapshot: on, policy, heuristic: fifo, rng: seededRng(seed), limits: DEFAULT_LIMITS });

describe('the dqn policy', () => {
  it('takes the candidate with the highest Q and shows all scores', () => {
    const weights = liking('priority');
    const policy = createDqnPolicy({ weights, version: 'v1', exploration: NO_EXPLORATION });
    const step = choose(policy);
    expect(step.chosen).toMatchObject({ kind: 'launch', jobId: 2 });
    expect(step.fallback).toBeNull();
    const features = featuresOf(busy(), step.allowedActions);
    expect(step.choice).toEqual({
      index: step.allowedActions.indexOf(step.chosen),
      scores: Array.from(forward(weights, features, step.allowedActions.length)),
      epsilon: 0,
      explored: false,
      features,
    });
  });

  it('may wait while something runs, but never on a machine where nothing does', () => {
    const policy = createDqnPolicy({
      weights: liking('launch', -1),
      version: 'lazy',
      exploration: NO_EXPLORATION,
    });
    expect(choose(policy).chosen.kind).toBe('wait');
    expect(choose(policy, { ...busy(), running: [] }).chosen.kind).toBe('launch');
    // What is paused does not end by itself.
    const paused = { ...busy(), running: [running(9, ['g1'], { pausedBy: 'person' })] };
    expect(choose(policy, paused).chosen.kind).toBe('launch');
  });

  it('explores only among launches, as often as ε says', () => {
    const policy = createDqnPolicy({
      weights: liking('launch', -1),
      version: 'lazy',
      exploration: { start: 0.5, end: 0.5, overDecisions: 1, triesWait: false },
    });
    const rng = seededRng(5);
    let explored = 0;
    for (let i = 0; i < 400; i++) {
      const step = decide({ snapshot: busy(), policy, heuristic: fifo, rng, limits: DEFAULT_LIMITS });
      expect(step.chosen.kind).toBe(step.choice?.explored ? 'launch' : 'wait');
      if (step.choice?.explored) explored++;
    }
    // Binomial: standard deviation 10 around 200.
    expect(Math.abs(explored - 200)).toBeLessThan(50);
    expect(policy.decisions).toBe(400);
  });

  it('lets ε fall with its decisions, also over restarts', () => {
    expect(epsilonAt(0, LIVE_EXPLORATION)).toBeCloseTo(0.1, 12);
    expect(epsilonAt(1000, LIVE_EXPLORATION)).toBeCloseTo(0.055, 12);
    expect(epsilonAt(1e6, LIVE_EXPLORATION)).toBeCloseTo(0.01, 12);
    const policy = createDqnPolicy({ weights: liking('launch'), version: 'v', decisionsTaken: 2000 });
    expect(policy.epsilon).toBeCloseTo(0.01, 12);
  });

  it('leaves the decision to the heuristic without weights, or when they overflow', () => {
    const policy = createDqnPolicy({ weights: null, version: 'none' });
    expect(choose(policy)).toMatchObject({
      chosen: { kind: 'launch', jobId: 1 },
      fallback: { failed: 'dqn', error: expect.stringContaining('are missing') },
    });
    const huge = liking('priority', 3e38);
    huge.advantage.fill(3e38);
    policy.setWeights(huge, 'huge');
    expect(choose(policy).fallback?.error).toContain('not finite');
  });

  it('takes new weights under a new version, and keeps the old ones when they do not fit', () => {
    const policy = createDqnPolicy({
      weights: liking('priority'),
      version: 'v1',
      exploration: NO_EXPLORATION,
    });
    policy.setWeights(liking('priority', -1), 'v2');
    expect(policy.version).toBe('v2');
    expect(choose(policy).chosen).toMatchObject({ jobId: 3 });
    expect(() => policy.setWeights(initialWeights(seededRng(1), 5), 'v3')).toThrow(WeightsError);
    expect(() => policy.setWeights(liking('priority', Number.NaN), 'v3')).toThrow(WeightsError);
    expect(policy.version).toBe('v2');
    expect(choose(policy).chosen).toMatchObject({ jobId: 3 });
  });
});
