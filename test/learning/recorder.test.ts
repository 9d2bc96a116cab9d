import { describe, expect, it } from 'vitest';
import { DEFAULT_GOALS, type Load, ZERO_PARTS } from '../../src/domain/reward.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { type DecidedStep, Recorder } from '../../src/learning/recorder.ts';
import { MAX_STORED_ROWS, type Transition } from '../../src/learning/transition.ts';

const BETA = Math.LN2 / 10; // Ten seconds count half.

/** Cost rates: completion jobs/4, utilisation min(idle, asked)/2, fairness 0. */
const load = (waiting: number, running: number, idleDevices: number): Load => ({
  waiting,
  running,
  weight: waiting + running,
  devices: 2,
  idleDevices,
  waitingGpus: waiting,
  serviceByUser: [],
});

const step = (decisionId: number, atS: number, features = [0, 1], chosenRow = 0): DecidedStep => ({
  decisionId,
  episodeId: 7,
  atMs: 1000 * atS,
  features: Float32Array.from(features),
  rows: features.length,
  chosenRow,
  goals: DEFAULT_GOALS,
});

function recorder(): { recorder: Recorder; seen: Transition[] } {
  const seen: Transition[] = [];
  return {
    recorder: new Recorder({ onTransition: (t) => seen.push(t), rng: seededRng(1), betaPerS: BETA }),
    seen,
  };
}

describe('Recorder', () => {
  it('integrates each stretch at the load that held in it, discounted from the decision on', () => {
    const { recorder: r, seen } = recorder();
    r.advance(load(2, 0, 2), 0);
    r.decided(step(1, 0, [0, 1], 1));
    r.advance(load(1, 1, 1), 0); // launched at the same instant
    r.advance(load(3, 1, 1), 10_000); // two arrivals
    r.advance(load(3, 0, 2), 20_000); // a completion
    r.decided(step(2, 20, [5, 6, 7]));
    // [0, 10): completion 2/4, idle 1/2. [10, 20): completion 4/4, idle 1/2. Each half of what is left.
    expect(seen).toHaveLength(1);
    const [first] = seen;
    expect(first!.reward.completion).toBeCloseTo(-(0.5 * 0.5 + 0.5 * 0.5 * 1), 12);
    expect(first!.reward.utilisation).toBeCloseTo(-(0.5 * 0.5 + 0.5 * 0.5 * 0.5), 12);
    expect(first!.reward.fairness).toBeCloseTo(0, 12);
    expect(first!.discount).toBeCloseTo(0.25, 12);
    expect(first).toMatchObject({ decisionId: 1, episodeId: 7, atMs: 0, chosen: 1, goals: DEFAULT_GOALS });
    expect(first!.next).toEqual({ features: Float32Array.of(5, 6, 7), rows: 3 });
    // Undiscounted, for the episode: 10 s · 0.5 + 10 s · 1.
    expect(r.episodeParts.completion).toBeCloseTo(-15, 12);
    expect(r.episodeParts.utilisation).toBeCloseTo(-10, 12);
  });

  it('gives exactly discount 1 and reward 0 between decisions at the same instant', () => {
    const { recorder: r, seen } = recorder();
    r.advance(load(2, 0, 2), 5000);
    r.decided(step(1, 5));
    r.advance(load(1, 1, 1), 5000);
    r.decided(step(2, 5));
    expect(seen[0]!.discount).toBe(1);
    expect(seen[0]!.reward).toEqual(ZERO_PARTS);
  });

  it('ends an episode when the machine goes idle', () => {
    const { recorder: r, seen } = recorder();
    r.advance(load(1, 0, 2), 0);
    r.decided(step(1, 0));
    r.advance(load(0, 1, 1), 0);
    r.advance(load(0, 0, 2), 8000);
    expect(r.idle().completion).toBeCloseTo(-2, 12);
    expect(seen).toHaveLength(1);
    expect(seen[0]!.next).toBeNull();
    expect(r.episodeParts).toEqual(ZERO_PARTS);
    r.advance(load(0, 0, 2), 100_000);
    expect(r.idle()).toEqual(ZERO_PARTS);
    expect(seen).toHaveLength(1);
  });

  it('books nothing for a clock that runs backwards', () => {
    const { recorder: r, seen } = recorder();
    r.advance(load(2, 0, 2), 50_000);
    r.decided(step(1, 50));
    r.advance(load(2, 0, 2), 10_000);
    r.decided(step(2, 10));
    expect(seen[0]).toMatchObject({ discount: 1, reward: ZERO_PARTS });
    r.advance(load(2, 0, 2), 20_000);
    expect(r.episodeParts.completion).toBeCloseTo(-5, 12);
  });

  it('drops what is pending when told that a decision went unseen', () => {
    const { recorder: r, seen } = recorder();
    r.advance(load(2, 0, 2), 0);
    r.decided(step(1, 0));
    r.abandon();
    r.decided(step(2, 1));
    expect(seen).toEqual([]);
  });

  it('thins large candidate sets, but keeps the chosen, the last, and the order', () => {
    const { recorder: r, seen } = recorder();
    const many = Array.from({ length: 500 }, (_, i) => i);
    r.advance(load(500, 0, 2), 0);
    r.decided(step(1, 0, many, 321));
    r.decided(step(2, 0, many, 499));
    const { state, chosen, next } = seen[0]!;
    expect(state.rows).toBe(MAX_STORED_ROWS);
    expect(state.features[chosen]).toBe(321);
    expect(state.features.at(-1)).toBe(499);
    expect([...state.features]).toEqual([...new Set(state.features)].sort((a, b) => a - b));
    expect(next!.rows).toBe(MAX_STORED_ROWS);
  });
});
