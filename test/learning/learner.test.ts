import { afterEach, expect, it, vi } from 'vitest';
import { DEFAULT_GOALS } from '../../src/domain/reward.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { LIVE_AGENT } from '../../src/learning/agent.ts';
import { Learner, type LearnerOptions, type LearnerStatus } from '../../src/learning/learner.ts';
import { encodeTransition, type Transition } from '../../src/learning/transition.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../src/scheduler/features.ts';
import { checkWeights, decodeWeights, initialWeights, type Weights } from '../../src/scheduler/network.ts';

const CONFIG = {
  ...LIVE_AGENT,
  minReplay: 16,
  publishEverySteps: 10,
  stepsPerTransition: 4,
  maxOwedSteps: 60,
};
const DEADLINE = { timeout: 20_000, interval: 20 };

/** Weights under which launching is best: any that the sanity check lets through. */
function launchingWeights(): Weights {
  const weights = initialWeights(seededRng(1), FEATURE_COUNT, [8]);
  const [layer] = weights.trunk;
  // The first hidden unit is the feature `launch`, and the advantage is that unit alone.
  layer!.kernel.fill(0);
  layer!.kernel[FEATURE_NAMES.indexOf('launch') * 8] = 1;
  weights.advantage.fill(0);
  weights.advantage[0] = 1;
  return weights;
}

function transition(n: number): Transition {
  const rng = seededRng(n);
  const rows = { features: Float32Array.from({ length: 2 * FEATURE_COUNT }, () => rng.next()), rows: 2 };
  return {
    decisionId: n,
    episodeId: 1,
    atMs: n,
    state: rows,
    chosen: 0,
    reward: { completion: -0.1, utilisation: 0, fairness: 0 },
    discount: 0.9,
    next: rows,
    goals: DEFAULT_GOALS,
  };
}

let learner: Learner | null = null;
afterEach(async () => {
  await learner?.stop();
  learner = null;
});

function startLearner(options: Partial<LearnerOptions> = {}) {
  const store: Uint8Array[] = [];
  const published: { trainSteps: number; blob: Uint8Array }[] = [];
  const seen: LearnerStatus[] = [];
  const made = new Learner({
    weights: launchingWeights(),
    config: CONFIG,
    storedTransitions: 0,
    refill: (limit) => store.slice(-limit),
    firstBackoffMs: 20,
    onWeights(weights, trainSteps, blob) {
      checkWeights(weights, FEATURE_COUNT);
      published.push({ trainSteps, blob });
    },
    onStatus: (status) => seen.push(status),
    ...options,
  });
  learner = made;
  const push = (from: number, to: number): void => {
    for (let n = from; n < to; n++) {
      store.push(encodeTransition(transition(n), FEATURE_NAMES));
      made.push(transition(n));
    }
  };
  return { made, push, published, seen, store };
}

/** Node's handle of the worker, to do to it what a crash would. */
const workerOf = (made: Learner) =>
  (made as unknown as { worker: import('node:worker_threads').Worker }).worker;

it('starts no worker before there is something to learn from, then trains and publishes', async () => {
  const { made, push, published } = startLearner();
  push(0, 15);
  expect(made.status()).toMatchObject({ state: 'waiting', backend: null, restarts: 0 });
  expect(workerOf(made)).toBeNull();
  push(15, 40);
  await vi.waitFor(() => expect(published.length).toBeGreaterThanOrEqual(3), DEADLINE);
  expect(published.slice(0, 3).map(({ trainSteps }) => trainSteps)).toEqual([10, 20, 30]);
  const decoded = decodeWeights(published[0]!.blob, FEATURE_NAMES);
  expect(decoded).not.toEqual(launchingWeights());
  expect(made.status()).toMatchObject({ state: 'learning', backend: 'wasm', replaySize: 40, trouble: null });
  expect(made.status().loss).toBeGreaterThan(0);
});

it('takes no more steps than the new transitions pay for', async () => {
  const { made, push, seen } = startLearner({ storedTransitions: 100, trainSteps: 7 });
  made.start();
  await vi.waitFor(() => expect(made.status().state).toBe('learning'), DEADLINE);
  push(0, 20);
  // 20 × 4 steps would be 80; no more than 60 may be owed, and some are taken while the rest arrive.
  await vi.waitFor(() => expect(made.status().trainSteps).toBeGreaterThanOrEqual(60), DEADLINE);
  const reports = seen.length;
  push(20, 21);
  await vi.waitFor(() => expect(made.status().replaySize).toBe(21), DEADLINE);
  expect(seen.length).toBeGreaterThan(reports);
  expect(made.status().trainSteps).toBeLessThanOrEqual(7 + 84);
});

it('replaces a worker that was killed, and goes on from the last weights and the stored experience', async () => {
  const { made, push, published, seen, store } = startLearner();
  push(0, 30);
  made.start();
  await vi.waitFor(() => expect(published.length).toBeGreaterThan(0), DEADLINE);
  await workerOf(made).terminate();
  await vi.waitFor(() => expect(made.status().restarts).toBe(1), DEADLINE);
  expect(seen.some(({ state, trouble }) => state === 'restarting' && trouble?.includes('starts again'))).toBe(
    true,
  );
  const before = published.at(-1)!.trainSteps;
  await vi.waitFor(() => expect(made.status().state).toBe('learning'), DEADLINE);
  push(30, 45);
  await vi.waitFor(() => expect(published.at(-1)!.trainSteps).toBeGreaterThan(before), DEADLINE);
  await vi.waitFor(() => expect(made.status().replaySize).toBe(store.length), DEADLINE);
  expect(made.status()).toMatchObject({ restarts: 1, trouble: null });
});

it('skips stored transitions that are damaged, and says so', async () => {
  const { made, store } = startLearner();
  store.push(new Uint8Array(10), encodeTransition(transition(1), FEATURE_NAMES));
  made.start();
  await vi.waitFor(() => expect(made.status().replaySize).toBe(1), DEADLINE);
  expect(made.status()).toMatchObject({ state: 'learning', restarts: 0 });
  expect(made.status().trouble).toContain('cut short');
});

it('holds back weights under which the machine would stand still', async () => {
  const weights = launchingWeights();
  weights.advantage[0] = -1;
  const { made, push, published } = startLearner({ weights });
  push(0, 30);
  await vi.waitFor(() => expect(made.status().trouble).toMatch(/set back.*let a job wait/), DEADLINE);
  expect(published).toEqual([]);
});

it('reports and survives a worker that cannot start, and stops cleanly in between', async () => {
  const { made } = startLearner({ weights: initialWeights(seededRng(1), 5) });
  made.start();
  await vi.waitFor(() => expect(made.status().restarts).toBeGreaterThanOrEqual(2), DEADLINE);
  expect(made.status().trouble).toContain('impossible shapes');
  await made.stop();
  const { restarts } = made.status();
  expect(made.status().state).toBe('stopped');
  made.start();
  made.push(transition(1));
  expect(workerOf(made)).toBeNull();
  expect(made.status().restarts).toBe(restarts);
});
