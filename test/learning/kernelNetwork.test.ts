import { describe, expect, it } from 'vitest';
import { type Rng, randomInt, seededRng } from '../../src/domain/rng.ts';
import {
  batchGradient,
  KernelNetwork,
  type LossConfig,
  type TrainingBatch,
} from '../../src/learning/kernelNetwork.ts';
import {
  type Heads,
  headsOf,
  initialWeights,
  type Prior,
  scoresOf,
  tensorsOf,
  type Weights,
  withTensors,
} from '../../src/scheduler/network.ts';

const CONFIG: LossConfig = {
  learningRate: 3e-3,
  adamEpsilon: 1e-8,
  huberDelta: 0.5,
  maxGradientNorm: 10,
  imitationTemperature: 0.3,
  margin: 0.2,
};

interface Kind {
  readonly features: number;
  readonly hidden: readonly number[];
  readonly heads: Heads;
  readonly dueling: boolean;
  readonly prior?: Prior;
}

const KINDS: readonly (readonly [string, Kind])[] = [
  ['one head', { features: 50, hidden: [64, 64], heads: { members: 1, quantiles: 1 }, dueling: true }],
  ['odd sizes', { features: 7, hidden: [5, 9], heads: { members: 1, quantiles: 1 }, dueling: true }],
  [
    'a prior',
    {
      features: 6,
      hidden: [8],
      heads: { members: 1, quantiles: 1 },
      dueling: true,
      prior: { column: 2, scale: 0.4 },
    },
  ],
  ['no dueling', { features: 6, hidden: [8], heads: { members: 1, quantiles: 1 }, dueling: false }],
  ['quantiles', { features: 6, hidden: [12], heads: { members: 1, quantiles: 5 }, dueling: true }],
  [
    'an ensemble of quantiles',
    { features: 6, hidden: [12], heads: { members: 3, quantiles: 2 }, dueling: true },
  ],
];

/** With biases away from ReLU's kink and every head awake. */
function weightsOf({ features, ...shape }: Kind, rng: Rng): Weights {
  const weights = initialWeights(rng, features, shape);
  const tensors = tensorsOf(weights).map((tensor) => tensor.map((value) => value + 0.2 * (rng.next() - 0.4)));
  return withTensors(weights, tensors);
}

function batchOf(kind: Kind, rng: Rng, setRows: readonly number[]): TrainingBatch {
  const rows = setRows.reduce((sum, count) => sum + count, 0);
  const { members, quantiles } = kind.heads;
  const each = (count: number, value: () => number) => Float32Array.from({ length: count }, value);
  return {
    features: each(rows * kind.features, () => 2 * rng.next() - 1),
    setRows,
    chosen: setRows.map((count) => randomInt(rng, count)),
    targets: each(setRows.length * members * quantiles, () => 3 * rng.next() - 1.5),
    lossWeights: each(setRows.length, () => rng.next()),
    imitationWeights: each(setRows.length, () => rng.next() - 0.3),
    marginWeights: each(setRows.length, () => rng.next()),
    memberMask: Uint8Array.from({ length: setRows.length * members }, () => (rng.next() < 0.7 ? 1 : 0)),
  };
}

/** The same network in double precision and plain loops: Q per row and head. */
function reference(weights: Weights, features: Float32Array, setRows: readonly number[]): number[] {
  const { members, quantiles } = headsOf(weights);
  const heads = members * quantiles;
  const width = weights.trunk[0]?.inputs ?? weights.advantage.length / heads;
  const q: number[] = [];
  let from = 0;
  for (const count of setRows) {
    const rows = Array.from({ length: count }, (_, r) => {
      const x = Array.from(features.subarray((from + r) * width, (from + r + 1) * width));
      let h = x;
      for (const { inputs, outputs, kernel, bias } of weights.trunk) {
        h = Array.from({ length: outputs }, (_, j) => {
          let sum = bias[j]!;
          for (let i = 0; i < inputs; i++) sum += h[i]! * kernel[i * outputs + j]!;
          return Math.max(0, sum);
        });
      }
      const prior = weights.prior === undefined ? 0 : weights.prior.scale * x[weights.prior.column]!;
      const dot = (head: Float32Array, k: number) =>
        h.reduce((sum, v, i) => sum + v * head[i * heads + k]!, 0);
      return Array.from({ length: heads }, (_, k) => [
        dot(weights.advantage, k) + prior,
        dot(weights.value, k),
      ]);
    });
    for (const row of rows) {
      row.forEach(([a], k) => {
        const meanA = rows.reduce((sum, other) => sum + other[k]![0]!, 0) / count;
        const meanV = rows.reduce((sum, other) => sum + other[k]![1]!, 0) / count;
        q.push(a! + weights.valueBias[k]! + (weights.dueling === false ? 0 : meanV - meanA));
      });
    }
    from += count;
  }
  return q;
}

/** The loss in double precision, written out anew from its definition. */
function referenceLoss(weights: Weights, config: LossConfig, batch: TrainingBatch): number {
  const { members, quantiles } = headsOf(weights);
  const heads = members * quantiles;
  const q = reference(weights, batch.features, batch.setRows);
  const sets = batch.setRows.length;
  let from = 0;
  let loss = 0;
  batch.setRows.forEach((count, s) => {
    const at = batch.chosen[s]!;
    const row = (r: number) => q.slice((from + r) * heads, (from + r + 1) * heads);
    const huber = (u: number) =>
      Math.abs(u) <= config.huberDelta
        ? (u * u) / 2
        : config.huberDelta * (Math.abs(u) - config.huberDelta / 2);
    for (let m = 0; m < members; m++) {
      if (batch.memberMask![s * members + m] === 0) continue;
      for (let i = 0; i < quantiles; i++) {
        for (let j = 0; j < quantiles; j++) {
          const u = batch.targets[s * heads + m * quantiles + j]! - row(at)[m * quantiles + i]!;
          const tau = (i + 0.5) / quantiles;
          const tilt = quantiles === 1 ? 1 : Math.abs(tau - (u < 0 ? 1 : 0)) / config.huberDelta;
          loss += (batch.lossWeights[s]! * tilt * huber(u)) / (quantiles * members);
        }
      }
    }
    const mean = Array.from({ length: count }, (_, r) => row(r).reduce((sum, v) => sum + v, 0) / heads);
    const logits = mean.map((v) => v / config.imitationTemperature);
    const logSum = Math.log(logits.reduce((sum, v) => sum + Math.exp(v), 0));
    loss += batch.imitationWeights![s]! * (logSum - logits[at]!);
    const entropy = -logits.reduce((sum, v) => sum + Math.exp(v - logSum) * (v - logSum), 0);
    loss -= (config.entropyWeight ?? 0) * entropy;
    const ahead = mean.map((v, r) => v + (r === at ? 0 : config.margin!));
    loss += batch.marginWeights![s]! * (Math.max(...ahead) - mean[at]!);
    from += count;
  });
  return loss / sets;
}

describe.each(KINDS)('the kernels with %s', (_, kind) => {
  it('give the Q-values of double precision within 1e-4', () => {
    const rng = seededRng(3);
    const weights = weightsOf(kind, rng);
    const setRows = [1, 3, 2, 70, 5];
    const features = batchOf(kind, rng, setRows).features;
    const expected = reference(weights, features, setRows);
    const largest = Math.max(...expected.map(Math.abs));
    const got = scoresOf(weights, features, setRows);
    expect(got.length).toBe(expected.length);
    got.forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4 * largest);
    });
  });

  it.each([0, 0.05])('have the loss and the gradient of double precision (entropy %d)', (entropyWeight) => {
    const rng = seededRng(5);
    const config = { ...CONFIG, entropyWeight };
    const weights = weightsOf(kind, rng);
    const batch = batchOf(kind, rng, [4, 1, 3, 9]);
    const { loss, values } = batchGradient(weights, config, batch);
    expect(Math.abs(loss - referenceLoss(weights, config, batch))).toBeLessThan(1e-4 * Math.abs(loss));
    const tensors = tensorsOf(weights);
    // Differences of the double-precision loss, so that their own error is far below the bound.
    const lossAt = (t: number, i: number, value: number): number => {
      const moved = tensors.map((tensor, k) =>
        k === t ? Object.assign([...tensor], { [i]: value }) : tensor,
      );
      return referenceLoss(withTensors(weights, moved as unknown as Float32Array[]), config, batch);
    };
    const scale = Math.max(...values.flatMap((tensor) => Array.from(tensor, Math.abs)));
    const h = 1e-6;
    tensors.forEach((tensor, t) => {
      for (let n = 0; n < Math.min(25, tensor.length); n++) {
        const i = randomInt(rng, tensor.length);
        const numeric = (lossAt(t, i, tensor[i]! + h) - lossAt(t, i, tensor[i]! - h)) / (2 * h);
        expect(Math.abs(values[t]![i]! - numeric)).toBeLessThan(1e-4 * scale);
      }
    });
  });
});

describe('KernelNetwork', () => {
  const [, kind] = KINDS[5]!;

  it('fits targets by training', () => {
    const rng = seededRng(8);
    const network = new KernelNetwork(weightsOf(kind, rng), CONFIG);
    const { features, setRows, chosen } = batchOf(kind, rng, [3, 4]);
    const targets = Float32Array.from({ length: 12 }, (_, i) => (i < 6 ? -1 : 0.7));
    const batch = { features, setRows, chosen, targets, lossWeights: Float32Array.of(1, 1) };
    const { loss } = network.gradients(batch);
    for (let i = 0; i < 300; i++) network.train(batch);
    expect(network.gradients(batch).loss).toBeLessThan(loss / 50);
  });

  it('survives a gradient that is huge', () => {
    const rng = seededRng(8);
    const network = new KernelNetwork(weightsOf(kind, rng), CONFIG);
    const batch = batchOf(kind, rng, [3, 4]);
    network.train({ ...batch, targets: batch.targets.map((v) => 1e30 * v) });
    expect(tensorsOf(network.weights()).every((tensor) => tensor.every(Number.isFinite))).toBe(true);
  });

  it('goes on to the bit where its state was saved', () => {
    const rng = seededRng(8);
    const one = new KernelNetwork(weightsOf(kind, rng), CONFIG);
    const batches = Array.from({ length: 6 }, () => batchOf(kind, rng, [3, 4]));
    for (const batch of batches.slice(0, 3)) one.train(batch);
    const other = new KernelNetwork(weightsOf(kind, seededRng(9)), CONFIG);
    other.restore(structuredClone(one.save()));
    for (const batch of batches.slice(3)) expect(other.train(batch)).toEqual(one.train(batch));
    expect(other.weights()).toEqual(one.weights());
  });
});
