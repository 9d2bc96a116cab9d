import { describe, expect, it } from 'vitest';
import { parseBegin } from '../../src/domain/begin.ts';

/** 2026-11-23 14:00 in a zone that is an hour ahead of UTC. */
const nowMs = Date.UTC(2026, 10, 23, 13);
const begin = (text: string): string =>
  new Date(parseBegin(text, '--begin', { nowMs, offsetMinAt: () => 60 })).toISOString();

describe('when a job is to begin', () => {
  it.each([
    ['+2h', '2026-11-23T15:00:00.000Z'],
    ['now + 1d 30min', '2026-11-24T13:30:00.000Z'],
    ['+90', '2026-11-23T13:01:30.000Z'],
    ['now', '2026-11-23T13:00:00.000Z'],
    ['22:30', '2026-11-23T21:30:00.000Z'],
    ['9:05', '2026-11-24T08:05:00.000Z'],
    ['14:00', '2026-11-24T13:00:00.000Z'],
    ['tomorrow', '2026-11-23T23:00:00.000Z'],
    ['Tomorrow 07:00:30', '2026-11-24T06:00:30.000Z'],
    ['2026-12-01', '2026-11-30T23:00:00.000Z'],
    ['2026-12-01 09:00', '2026-12-01T08:00:00.000Z'],
    ['2026-12-01T09:00Z', '2026-12-01T09:00:00.000Z'],
  ])('%s', (text, moment) => expect(begin(text)).toBe(moment));

  it.each([
    '',
    '+',
    '+soon',
    '2h',
    '7d ago',
    'yesterday',
    'today',
    '2026-11-23 13:59',
    '25:00',
    'tomorrow soon',
  ])('refuses %j, naming the flag and the remedy', (text) =>
    expect(() => begin(text)).toThrow(/^--begin: .* a moment to come, such as \+2h, 22:30/),
  );

  it('takes the clock of the day on which it is changed', () => {
    // Central Europe, the night before 25 October 2026: at 03:00 the clock goes back to 02:00.
    const changeMs = Date.UTC(2026, 9, 25, 1);
    const offsetMinAt = (ms: number): number => (ms < changeMs ? 120 : 60);
    const read = (text: string) =>
      parseBegin(text, '--begin', { nowMs: Date.UTC(2026, 9, 24, 20), offsetMinAt });
    expect(read('06:00')).toBe(Date.UTC(2026, 9, 25, 5));
    expect(read('+12h')).toBe(Date.UTC(2026, 9, 25, 8));
    expect(read('tomorrow')).toBe(Date.UTC(2026, 9, 24, 22));
  });
});
