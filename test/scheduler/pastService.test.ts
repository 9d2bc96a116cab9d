import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pastServiceOf } from '../../src/scheduler/policies/pastService.ts';

/** By its definition: every quantum that ends with one of the services, each in one pass over all of them. */
function indexByDefinition(history: readonly number[], attained: number): number {
  const longer = history.filter((service) => service > attained);
  const rates = longer.map((end) => {
    const ended = longer.filter((service) => service <= end).length;
    const spent = longer.reduce((sum, service) => sum + Math.min(service, end) - attained, 0);
    return ended / spent;
  });
  return Math.max(0, ...rates);
}

const histories = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 1e6 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((services) => services.sort((a, b) => a - b));

describe('what earlier jobs took', () => {
  it('gives the Gittins index of its definition', () => {
    fc.assert(
      fc.property(histories, fc.double({ min: 0, max: 60, noNaN: true }), fc.nat(), (history, small, n) => {
        const past = pastServiceOf(history)!;
        for (const attained of [0, small, history[n % history.length]!, 1.5 * history[n % history.length]!]) {
          const expected = indexByDefinition(history, attained);
          expect(past.gittinsIndex(attained) / (expected || 1)).toBeCloseTo(expected > 0 ? 1 : 0, 9);
        }
      }),
    );
  });

  it('gives the mean of those that took more', () => {
    const past = pastServiceOf([10, 20, 30])!;
    expect([0, 10, 29, 30, 50].map((attained) => past.meanBeyond(attained))).toEqual([20, 25, 30, 60, 100]);
    expect(pastServiceOf([])).toBeNull();
  });

  it('is read again when a job has ended, and only then', () => {
    const history = [10, 20];
    const before = pastServiceOf(history);
    expect(pastServiceOf(history)).toBe(before);
    history.splice(1, 0, 18);
    expect(pastServiceOf(history)?.meanBeyond(0)).toBe(16);
    expect(pastServiceOf([10, 20])).not.toBe(before);
  });

  it('is much the same seen through its quantiles', () => {
    // Of 1 to 100,000 in equal steps.
    const past = pastServiceOf(Array.from({ length: 100_000 }, (_, i) => i + 1))!;
    expect(past.jobs).toBe(100_000);
    expect(past.meanBeyond(0) / 50_000).toBeCloseTo(1, 2);
    // Uniform: the chance rises to the end, so that the best quantum is the longest: 1 / mean of what is left.
    expect(past.gittinsIndex(50_000) * 25_000).toBeCloseTo(1, 2);
  });
});
