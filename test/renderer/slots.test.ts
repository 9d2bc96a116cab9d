import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeRows, type Slot } from '../../src/renderer/queue/slots.ts';

const keysOf = (slots: readonly Slot[]): string[] => slots.map(({ key }) => key);
const window = (from: number, length: number): string[] => Array.from({ length }, (_, i) => `#${from + i}`);

describe('rows that come and go while a board scrolls', () => {
  it('take the places of those that went, and are put in order when it rests', () => {
    const first = placeRows([], window(0, 4), null, true);
    const next = placeRows(first, window(1, 4), null, false);
    expect(next).toEqual([
      { place: 0, key: '#4' },
      { place: 1, key: '#1' },
      { place: 2, key: '#2' },
      { place: 3, key: '#3' },
    ]);
    expect(keysOf(placeRows(next, window(1, 4), null, true))).toEqual(window(1, 4));
  });

  it('do not take the place of the one that has the focus', () => {
    const first = placeRows([], window(0, 3), '#0', true);
    expect(placeRows(first, window(1, 3), '#0', false)).toEqual([
      { place: 1, key: '#1' },
      { place: 2, key: '#2' },
      { place: 3, key: '#3' },
    ]);
  });

  it('are each in one place, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ from: fc.nat(20), length: fc.nat(8), settled: fc.boolean() }), {
          maxLength: 20,
        }),
        (steps) => {
          let slots: readonly Slot[] = [];
          for (const { from, length, settled } of steps) {
            const before = new Map(slots.map(({ key, place }) => [key, place]));
            slots = placeRows(slots, window(from, length), '#3', settled);
            expect(keysOf(slots).sort()).toEqual(window(from, length).sort());
            expect(new Set(slots.map(({ place }) => place)).size).toBe(length);
            for (const { key, place } of slots) if (before.has(key)) expect(place).toBe(before.get(key));
            if (settled) expect(keysOf(slots)).toEqual(window(from, length));
          }
        },
      ),
    );
  });
});
