import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_GOALS } from '../../src/domain/reward.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { startBackend } from '../../src/learning/backend.ts';
import { KernelNetwork, type TrainingBatch } from '../../src/learning/kernelNetwork.ts';
import { QNetwork } from '../../src/learning/qNetwork.ts';
import { doubleDqnTargets } from '../../src/learning/targets.ts';
import type { Transition } from '../../src/learning/transition.ts';
import {
  forward,
  initialWeights,
  tensorsOf,
  type Weights,
  withTensors,
} from '../../src/scheduler/network.ts';

const CONFIG = {
  learningRate: 1e-3,
  adamEpsilon: 1e-7,
  huberDelta: 1,
  maxGradientNorm: 10,
  imitationTemperature: 0.1,
};

function randomFeatures(count: number, seed: number): Float32Array {
  const rng = seededRng(seed);
  return Float32Array.from({ length: count }, () => 2 * rng.next() - 1);
}

afterAll(() => {
  tf.disposeVariables();
});

describe.each(['cpu', 'wasm'] as const)('the graph on %s', (backend) => {
  it('gives the Q-values of the plain loops, set by set', async () => {
    expect((await startBackend(backend)).name).toBe(backend);
    const weights = initialWeights(seededRng(5), 11);
    const setRows = [3, 1, 40];
    const features = randomFeatures(44 * 11, 6);
    const network = new QNetwork(weights, CONFIG);
    const scores = network.scores(features, setRows);
    network.dispose();
    let start = 0;
    for (const rows of setRows) {
      const plain = forward(weights, features.slice(start * 11, (start + rows) * 11), rows);
      for (let i = 0; i < rows; i++) {
        const difference = Math.abs(scores[start + i]! - plain[i]!);
        expect(difference).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(plain[i]!)));
      }
      start += rows;
    }
  });

  it('has the gradient that finite differences give', async () => {
    await startBackend(backend);
    const weights = initialWeights(seededRng(7), 3, [4]);
    // Nobody sits on a kink: biases away from zero.
    for (const layer of weights.trunk) layer.bias.fill(0.5);
    const batch: TrainingBatch = {
      features: randomFeatures(5 * 3, 8),
      setRows: [2, 3],
      chosen: [1, 0],
      // One error inside the quadratic part of the loss, one in the linear part.
      targets: Float32Array.of(0.3, 4),
      lossWeights: Float32Array.of(1, 0.5),
      imitationWeights: Float32Array.of(0.25, 0.1),
    };
    const network = new QNetwork(weights, CONFIG);
    const { values } = network.gradients(batch);
    const tensors = tensorsOf(weights);
    const lossAt = (t: number, i: number, shift: number): number => {
      const moved = tensors.map((tensor) => tensor.slice());
      moved[t]![i] = moved[t]![i]! + shift;
      network.setWeights(withTensors(weights, moved));
      return network.gradients(batch).loss;
    };
    let largest = 0;
    for (const [t, tensor] of tensors.entries()) {
      for (let i = 0; i < tensor.length; i++) {
        const h = 5e-3;
        const numeric = (lossAt(t, i, h) - lossAt(t, i, -h)) / (2 * h);
        expect(Math.abs(values[t]![i]! - numeric)).toBeLessThan(2e-3 * Math.max(1, Math.abs(numeric)) + 1e-3);
        largest = Math.max(largest, Math.abs(numeric));
      }
    }
    expect(largest).toBeGreaterThan(0.05);
    network.dispose();
  });

  it('takes the step that the kernels take, with a prior and imitation too', async () => {
    await startBackend(backend);
    const weights = initialWeights(seededRng(5), 11, { hidden: [16, 9], prior: { column: 3, scale: 0.3 } });
    const batch: TrainingBatch = {
      features: randomFeatures(9 * 11, 6),
      setRows: [4, 5],
      chosen: [1, 3],
      targets: Float32Array.of(0.4, -2),
      lossWeights: Float32Array.of(1, 0.5),
      imitationWeights: Float32Array.of(0.2, 0),
    };
    const graph = new QNetwork(weights, CONFIG);
    const kernels = new KernelNetwork(weights, CONFIG);
    for (let step = 0; step < 3; step++) {
      const loss = graph.train(batch);
      expect(Math.abs(kernels.train(batch).loss - loss)).toBeLessThan(1e-4 * Math.abs(loss));
    }
    const before = tensorsOf(weights);
    const after = tensorsOf(kernels.weights());
    tensorsOf(graph.weights()).forEach((tensor, t) => {
      tensor.forEach((value, i) => {
        const moved = after[t]![i]! - before[t]![i]!;
        expect(Math.abs(value - after[t]![i]!)).toBeLessThan(1e-4 + 0.02 * Math.abs(moved));
      });
    });
    graph.dispose();
  });

  it('fits targets by training, and clips a huge gradient', async () => {
    await startBackend(backend);
    const before = tf.memory().numTensors;
    const network = new QNetwork(initialWeights(seededRng(1), 4), { ...CONFIG, learningRate: 3e-3 });
    const batch: TrainingBatch = {
      features: randomFeatures(8 * 4, 2),
      setRows: [4, 4],
      chosen: [2, 3],
      targets: Float32Array.of(-1, 1.5),
      lossWeights: Float32Array.of(1, 1),
      imitationWeights: new Float32Array(2),
    };
    const first = network.train(batch);
    let last = first;
    for (let i = 0; i < 200; i++) last = network.train(batch);
    expect(last).toBeLessThan(first / 100);
    network.train({ ...batch, targets: Float32Array.of(1e30, -1e30) });
    expect(network.scores(batch.features, [4, 4]).every(Number.isFinite)).toBe(true);
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('doubleDqnTargets', () => {
  /** Q_i = bias + x_i − mean(x): no trunk, one feature, so that it can be worked out by hand. */
  const linear = (slope: number, bias: number): Weights => ({
    trunk: [],
    advantage: Float32Array.of(slope),
    value: Float32Array.of(0),
    valueBias: Float32Array.of(bias),
  });
  const transition = (next: number[] | null): Transition => ({
    decisionId: 1,
    episodeId: 1,
    atMs: 0,
    state: { features: Float32Array.of(0), rows: 1 },
    chosen: 0,
    reward: { completion: -0.2, utilisation: -0.1, fairness: -0.4 },
    discount: 0.5,
    next: next && { features: Float32Array.from(next), rows: next.length },
    goals: DEFAULT_GOALS,
  });

  it('lets the online network choose and the target network judge', () => {
    // r = 1·−0.2 + 0.5·−0.1 + 0.25·−0.4 = −0.35. Online picks x = 3 (the largest); the target network has slope
    // −1 and bias 2: Q(3) = 2 − (3 − 2) = 1, though its own best would be x = 1 with Q = 3.
    const targets = doubleDqnTargets(linear(1, 0), linear(-1, 2), [transition([1, 3]), transition(null)]);
    expect(targets[0]).toBeCloseTo(-0.35 + 0.5 * 1, 6);
    expect(targets[1]).toBeCloseTo(-0.35, 6);
  });
});
