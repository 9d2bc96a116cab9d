import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldError } from '../../src/domain/errors.ts';
import { localDay, parseMoment } from '../../src/domain/moment.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 10, 23, 22, 30, 15);
/** Central Europe in 2026: an hour ahead, two from 29 March to 25 October, 01:00 UTC. */
const berlin = (ms: number): number =>
  ms >= Date.UTC(2026, 2, 29, 1) && ms < Date.UTC(2026, 9, 25, 1) ? 120 : 60;
const utc = (): number => 0;

const read = (text: string, edge: 'start' | 'end' = 'start', offsetMinAt = berlin): string =>
  new Date(parseMoment(text, '--from', { nowMs: NOW_MS, offsetMinAt, edge })).toISOString();

describe('a moment', () => {
  it.each([
    ['2026-11-20', '2026-11-19T23:00:00.000Z'],
    ['2026-07-01', '2026-06-30T22:00:00.000Z'],
    ['2026-11-20 14:30', '2026-11-20T13:30:00.000Z'],
    [' 2026-11-20T14:30:05.5 ', '2026-11-20T13:30:05.500Z'],
    ['2026-11-20T14:30Z', '2026-11-20T14:30:00.000Z'],
    ['2026-11-20T14:30:00-05:30', '2026-11-20T20:00:00.000Z'],
    ['2024-02-29', '2024-02-28T23:00:00.000Z'],
    ['now', '2026-11-23T22:30:15.000Z'],
    ['today', '2026-11-22T23:00:00.000Z'],
    ['Yesterday', '2026-11-21T23:00:00.000Z'],
    ['7d', '2026-11-16T22:30:15.000Z'],
    ['1d 12h ago', '2026-11-22T10:30:15.000Z'],
    ['90min', '2026-11-23T21:00:15.000Z'],
  ])('%j', (text, expected) => expect(read(text)).toBe(expected));

  it('that is a day has an end', () => {
    expect(read('2026-11-20', 'end')).toBe('2026-11-20T23:00:00.000Z');
    expect(read('2026-12-31', 'end')).toBe('2026-12-31T23:00:00.000Z');
    expect(read('yesterday', 'end')).toBe(read('today'));
    expect(read('2026-11-20 14:30', 'end')).toBe(read('2026-11-20 14:30'));
  });

  it('is of the zone it is read in', () => {
    expect(read('today', 'start', utc)).toBe('2026-11-23T00:00:00.000Z');
    // Half past ten in the evening in London is the next day in Auckland.
    expect(read('today', 'start', () => 13 * 60)).toBe('2026-11-23T11:00:00.000Z');
  });

  it('has a meaning where the clock is changed', () => {
    // A day of 23 hours, and one of 25.
    const hours = (day: string) => (Date.parse(read(day, 'end')) - Date.parse(read(day))) / HOUR_MS;
    expect(['2026-03-29', '2026-10-25', '2026-10-26'].map(hours)).toEqual([23, 25, 24]);
    expect(read('2026-03-29 02:30')).toBe('2026-03-29T01:30:00.000Z');
    expect(read('2026-10-25 02:30')).toBe('2026-10-25T00:30:00.000Z');
  });

  it.each(['', '7', '2026', '2026-13-01', '2026-02-29', '2026-1-1', '2026-11-20 24:00', '2026-11-20 12:60'])(
    'is not %j',
    (text) => {
      expect(() => read(text)).toThrow(FieldError);
      expect(() => read(text)).toThrow(/^--from: .*such as 2026-11-20/);
    },
  );
  it.each(['tomorrow', 'last week', '-7d', 'ago', '7 potatoes', '20.11.2026'])('is not %j either', (text) =>
    expect(() => read(text)).toThrow(/^--from: /),
  );

  it('names the day it lies in', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1000, 0), max: Date.UTC(9999, 0) }), (ms) => {
        const day = localDay(ms, utc);
        expect(day).toBe(new Date(ms).toISOString().slice(0, 10));
        expect(read(day, 'start', utc)).toBe(`${day}T00:00:00.000Z`);
      }),
    );
    expect(localDay(Date.UTC(2026, 10, 20, 23, 30), berlin)).toBe('2026-11-21');
  });
});
