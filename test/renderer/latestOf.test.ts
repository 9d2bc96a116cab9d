import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { latestOf } from '../../src/renderer/store/latestOf.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('hands on the first at once, then the latest at most so often, and the last in any case', () => {
  const seen: number[] = [];
  const take = latestOf<number>(500, (one) => seen.push(one));
  for (let i = 0; i <= 12; i++) {
    take(i);
    vi.advanceTimersByTime(100);
  }
  expect(seen).toEqual([0, 4, 9]);
  vi.advanceTimersByTime(500);
  expect(seen).toEqual([0, 4, 9, 12]);
  vi.advanceTimersByTime(5000);
  take(13);
  expect(seen).toEqual([0, 4, 9, 12, 13]);
  expect(vi.getTimerCount()).toBe(1);
});
