import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { Replay } from '../../src/learning/replay.ts';

describe('Replay', () => {
  it('holds exactly the newest, oldest first', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer(), { maxLength: 70 }),
        (capacity, pushed) => {
          const replay = new Replay<number>(capacity);
          for (const item of pushed) replay.push(item);
          expect(replay.items()).toEqual(pushed.slice(-capacity));
          expect(replay.size).toBe(Math.min(capacity, pushed.length));
        },
      ),
    );
  });

  it('draws only what it holds, as often as asked, the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer(), { minLength: 1, maxLength: 50 }),
        fc.nat({ max: 40 }),
        fc.nat(),
        (capacity, pushed, count, seed) => {
          const replay = new Replay<number>(capacity);
          for (const item of pushed) replay.push(item);
          const { items, lossWeights } = replay.sample(count, seededRng(seed));
          expect(items).toHaveLength(count);
          expect([...lossWeights]).toEqual(items.map(() => 1));
          const held = new Set(replay.items());
          expect(items.every((item) => held.has(item))).toBe(true);
          expect(replay.sample(count, seededRng(seed)).items).toEqual(items);
        },
      ),
    );
  });

  it('draws uniformly', () => {
    const replay = new Replay<number>(10);
    for (let i = 0; i < 25; i++) replay.push(i);
    const counts = new Map<number, number>();
    for (const item of replay.sample(10_000, seededRng(4)).items)
      counts.set(item, (counts.get(item) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    // Binomial: standard deviation 30 around 1,000.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('gives nothing while empty and refuses a useless capacity', () => {
    expect(new Replay(3).sample(5, seededRng(1)).items).toEqual([]);
    for (const capacity of [0, -1, 1.5, Number.NaN]) expect(() => new Replay(capacity)).toThrow(/capacity/);
  });
});
