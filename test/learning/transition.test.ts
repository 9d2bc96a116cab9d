import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeTransition,
  encodeTransition,
  type Transition,
  TransitionError,
} from '../../src/learning/transition.ts';

const NAMES = ['x', 'y', 'z'];
const rows = (count: number, seed: number) => ({
  features: Float32Array.from({ length: 3 * count }, (_, i) => Math.fround(Math.sin(seed + i))),
  rows: count,
});
const parts = fc.record({
  completion: fc.double({ noNaN: true, noDefaultInfinity: true }),
  utilisation: fc.double({ noNaN: true, noDefaultInfinity: true }),
  fairness: fc.double({ noNaN: true, noDefaultInfinity: true }),
});
const transitions: fc.Arbitrary<Transition> = fc
  .record({
    decisionId: fc.nat(),
    episodeId: fc.option(fc.nat()),
    atMs: fc.integer({ min: 0, max: 4e12 }),
    state: fc.integer({ min: 1, max: 32 }).map((count) => rows(count, 1)),
    next: fc.option(fc.integer({ min: 1, max: 32 }).map((count) => rows(count, 2))),
    pick: fc.nat({ max: 1000 }),
    reward: parts,
    goals: parts,
    discount: fc.double({ min: 0, max: 1, noNaN: true }),
    demonstrated: fc.boolean(),
  })
  .map(({ pick, demonstrated, ...rest }) => ({
    ...rest,
    chosen: pick % rest.state.rows,
    ...(demonstrated ? { demonstrated } : {}),
  }));

const SAMPLE: Transition = {
  decisionId: 12,
  episodeId: null,
  atMs: 1.7e12,
  state: rows(4, 0),
  chosen: 3,
  reward: { completion: -0.5, utilisation: -0.25, fairness: -0 },
  discount: 0.75,
  next: rows(2, 9),
  goals: { completion: 1, utilisation: 0.5, fairness: 0.25 },
};

describe('a transition as a blob', () => {
  it('comes back equal', () => {
    fc.assert(
      fc.property(transitions, (transition) => {
        expect(decodeTransition(encodeTransition(transition, NAMES), NAMES)).toEqual(transition);
      }),
    );
  });

  it('is refused when cut, lengthened, or about other features', () => {
    const blob = encodeTransition(SAMPLE, NAMES);
    for (let length = 0; length < blob.length; length += 7) {
      expect(() => decodeTransition(blob.subarray(0, length), NAMES)).toThrow(TransitionError);
    }
    expect(() => decodeTransition(new Uint8Array([...blob, 0, 0, 0, 0]), NAMES)).toThrow(/length/);
    expect(() => decodeTransition(blob, ['x', 'y', 'w'])).toThrow(/other features/);
  });

  it('is refused when a number makes no sense', () => {
    const spoilt = [
      { ...SAMPLE, discount: 1.5 },
      { ...SAMPLE, discount: Number.NaN },
      { ...SAMPLE, chosen: 4 },
      { ...SAMPLE, reward: { ...SAMPLE.reward, completion: Number.POSITIVE_INFINITY } },
      { ...SAMPLE, state: { rows: 4, features: SAMPLE.state.features.with(2, Number.NaN) } },
    ];
    for (const transition of spoilt) {
      expect(() => decodeTransition(encodeTransition(transition, NAMES), NAMES)).toThrow(TransitionError);
    }
  });
});
