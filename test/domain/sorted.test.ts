import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countBelow, countUpTo } from '../../src/domain/sorted.ts';

it('counts what is below, and what is at most', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9, max: 9 })), fc.integer({ min: -10, max: 10 }), (values, x) => {
      const sorted = values.toSorted((a, b) => a - b);
      expect(countBelow(sorted, x)).toBe(values.filter((value) => value < x).length);
      expect(countUpTo(sorted, x)).toBe(values.filter((value) => value <= x).length);
    }),
  );
});
