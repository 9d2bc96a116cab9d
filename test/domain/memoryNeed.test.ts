import { describe, expect, it } from 'vitest';
import {
  afterOutOfMemoryMib,
  isSettled,
  type MemoryKnowledge,
  reservationMib,
} from '../../src/domain/memoryNeed.ts';

const GPU_MIB = 24_576;
const known = (change: Partial<MemoryKnowledge>): MemoryKnowledge => ({
  declaredMib: null,
  learnedMib: null,
  observedMib: null,
  settled: false,
  ...change,
});
const reserved = (change: Partial<MemoryKnowledge>) => reservationMib(known(change), GPU_MIB);

describe('what is set aside', () => {
  it('is the most that was declared, learned or observed', () => {
    expect(reserved({ declaredMib: 8000 })).toBe(8000);
    expect(reserved({ declaredMib: 8000, learnedMib: 10_000 })).toBe(10_500);
    expect(reserved({ declaredMib: 8000, learnedMib: 2000, observedMib: 9000 })).toBe(9000);
    expect(reserved({ learnedMib: 2000 })).toBe(2100);
  });

  it('is the whole GPU where nothing is known, however little it uses', () => {
    expect(reserved({})).toBeNull();
    expect(reserved({ observedMib: 500, settled: true })).toBeNull();
  });

  it('is what it uses once that has settled, and never less than what earlier runs took', () => {
    expect(reserved({ declaredMib: 20_000, observedMib: 4000, settled: true })).toBe(4200);
    expect(reserved({ declaredMib: 20_000, observedMib: 4000, learnedMib: 8000, settled: true })).toBe(8400);
    expect(reserved({ declaredMib: 20_000, settled: true })).toBe(20_000);
  });

  it('is never more than a GPU has because of what was learned', () => {
    expect(reserved({ learnedMib: 24_000 })).toBe(GPU_MIB);
  });
});

it('use has settled after a quarter of an hour, ten minutes of it without growth', () => {
  const MIN = 60_000;
  expect([
    isSettled(14 * MIN, 14 * MIN),
    isSettled(15 * MIN, 9 * MIN),
    isSettled(15 * MIN, 10 * MIN),
  ]).toEqual([false, false, true]);
});

it('what ran out of memory gets half as much again as it had, up to a whole GPU', () => {
  expect(afterOutOfMemoryMib(known({ declaredMib: 4000, observedMib: 6000 }), GPU_MIB)).toBe(9000);
  expect(afterOutOfMemoryMib(known({ declaredMib: 20_000 }), GPU_MIB)).toBe(GPU_MIB);
  expect(afterOutOfMemoryMib(known({}), GPU_MIB)).toBeNull();
});
