import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Measured } from '../../../src/domain/device.ts';
import { Focus } from '../../../src/engine/devices/focus.ts';

let told: (readonly string[])[];
let focus: Focus;
beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  const clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() };
  focus = new Focus({ focus: (ids) => told.push(ids) }, 1000, clock);
});
afterEach(() => {
  focus.stop();
  vi.useRealTimers();
});

const at = (atMs: number): Measured => ({
  atMs,
  memoryUsedMib: 1,
  utilisation: 0,
  temperatureC: null,
  powerW: null,
  powerLimitW: null,
  smClockMhz: null,
});

const seenSince = (sinceMs: number): number[] =>
  focus.lease(['a'], sinceMs, 60_000).devices[0]!.readings.map(({ atMs }) => atMs);

it('lasts as long as somebody says so again, each device by itself', () => {
  focus.lease(['a'], 0, 3000);
  vi.advanceTimersByTime(2000);
  focus.lease(['b'], 0, 3000);
  focus.lease(['a', 'b'], 0, 500);
  expect(told).toEqual([['a'], ['a', 'b']]);
  vi.advanceTimersByTime(1000);
  expect(told.at(-1)).toEqual(['b']);
  vi.advanceTimersByTime(2000);
  expect(told.at(-1)).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

it('tells what was measured since it was asked last, and keeps it for a while only', () => {
  focus.take([['a', at(1)]]);
  expect(focus.lease(['a'], 0, 60_000)).toEqual({ everyMs: 100, devices: [{ id: 'a', readings: [] }] });
  focus.take([
    ['a', at(100)],
    ['b', at(100)],
  ]);
  focus.take([['a', at(200)]]);
  expect(seenSince(0)).toEqual([100, 200]);
  expect(seenSince(100)).toEqual([200]);
  focus.take([['a', at(10_150)]]);
  expect(seenSince(0)).toEqual([200, 10_150]);
});

it('is no closer than the probe can look', () => {
  const clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() };
  const slow = new Focus({}, 1000, clock);
  expect(slow.lease(['a'], 0, 1000).everyMs).toBe(1000);
  slow.stop();
});
