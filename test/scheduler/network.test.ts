import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import {
  checkWeights,
  decodeWeights,
  encodeWeights,
  featuresHash,
  forward,
  initialWeights,
  tensorsOf,
  type Weights,
  WeightsError,
  withTensors,
} from '../../src/scheduler/network.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const WEIGHTS = initialWeights(seededRng(3), NAMES.length, [9, 6]);

function randomRows(rows: number, seed: number): Float32Array {
  const rng = seededRng(seed);
  return Float32Array.from({ length: rows * NAMES.length }, () =>
    rng.next() < 0.3 ? 0 : 4 * rng.next() - 2,
  );
}

/** The formulas of the doc comment in double precision, row by row, without any trick. */
function reference(weights: Weights, features: Float32Array, rows: number): number[] {
  const hidden = Array.from({ length: rows }, (_, row) => {
    let h: number[] = Array.from(features.subarray(row * NAMES.length, (row + 1) * NAMES.length));
    for (const { inputs, outputs, kernel, bias } of weights.trunk) {
      h = Array.from({ length: outputs }, (_, j) => {
        let sum = bias[j]!;
        for (let k = 0; k < inputs; k++) sum += h[k]! * kernel[k * outputs + j]!;
        return Math.max(0, sum);
      });
    }
    return h;
  });
  const dot = (a: Float32Array, b: number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const advantages = hidden.map((h) => dot(weights.advantage, h));
  const value = mean(hidden.map((h) => dot(weights.value, h))) + weights.valueBias[0]!;
  return advantages.map((a) => value + a - mean(advantages));
}

describe('forward', () => {
  it.each([1, 2, 13, 200])('equals the formulas in double precision for %i rows', (rows) => {
    const features = randomRows(rows, rows);
    const scores = forward(WEIGHTS, features, rows);
    reference(WEIGHTS, features, rows).forEach((expected, i) => {
      expect(Math.abs(scores[i]! - expected)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(expected)));
    });
  });

  it('permutes its answers with the candidates', () => {
    const rows = 5;
    const features = randomRows(rows, 8);
    const order = [3, 0, 4, 1, 2];
    const permuted = new Float32Array(features.length);
    order.forEach((from, to) => {
      permuted.set(features.subarray(from * NAMES.length, (from + 1) * NAMES.length), to * NAMES.length);
    });
    const scores = forward(WEIGHTS, features, rows);
    forward(WEIGHTS, permuted, rows).forEach((score, to) => {
      expect(score).toBeCloseTo(scores[order[to]!]!, 5);
    });
  });

  it('is not disturbed by a larger input before it', () => {
    const features = randomRows(2, 1);
    const first = forward(WEIGHTS, features, 2);
    forward(WEIGHTS, randomRows(300, 2), 300);
    expect(forward(WEIGHTS, features, 2)).toEqual(first);
  });
});

describe('weights as a blob', () => {
  it('come back bit by bit', () => {
    const blob = encodeWeights(WEIGHTS, NAMES);
    const decoded = decodeWeights(blob, NAMES);
    expect(decoded).toEqual(WEIGHTS);
    // Also from the middle of a larger buffer, as SQLite hands blobs out.
    const shifted = new Uint8Array(blob.length + 3);
    shifted.set(blob, 3);
    expect(decodeWeights(shifted.subarray(3), NAMES)).toEqual(WEIGHTS);
  });

  it('are refused at every truncation', () => {
    const blob = encodeWeights(WEIGHTS, NAMES);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: blob.length - 1 }), (length) => {
        expect(() => decodeWeights(blob.subarray(0, length), NAMES)).toThrow(WeightsError);
      }),
    );
  });

  it('are refused with any bit flipped', () => {
    const blob = encodeWeights(WEIGHTS, NAMES);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 * blob.length - 1 }), (bit) => {
        const damaged = blob.slice();
        damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
        expect(() => decodeWeights(damaged, NAMES)).toThrow(WeightsError);
      }),
    );
  });

  it('are refused for other features, with the remedy', () => {
    const blob = encodeWeights(WEIGHTS, NAMES);
    expect(() => decodeWeights(blob, NAMES.with(2, 'z'))).toThrow(/other features.*shipped weights/);
    expect(featuresHash(['ab', 'c'])).not.toBe(featuresHash(['a', 'bc']));
  });

  it('are refused when a number is not finite, or a shape is wrong', () => {
    const tensors = tensorsOf(WEIGHTS).map((tensor) => tensor.slice());
    tensors[2]![5] = Number.NaN;
    const spoilt = withTensors(WEIGHTS, tensors);
    expect(() => decodeWeights(encodeWeights(spoilt, NAMES), NAMES)).toThrow(/not finite in tensor 2/);
    expect(() => checkWeights(WEIGHTS, NAMES.length + 1)).toThrow(/7 inputs in layer 0 instead of 8/);
    const short = { ...WEIGHTS, value: new Float32Array(3) };
    expect(() => checkWeights(short, NAMES.length)).toThrow(/3 instead of 6 numbers in the value head/);
  });
});
