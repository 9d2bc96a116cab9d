import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES, type DeviceRules } from '../../src/domain/deviceRules.ts';
import {
  type GuardFacts,
  type GuardMemory,
  guard,
  NOTHING_REMEMBERED,
  strongest,
} from '../../src/domain/guard.ts';

const calm: GuardFacts = {
  monotonicMs: 0,
  nowMs: 1_700_000_000_000,
  temperatureC: 50,
  powerW: 100,
  deskIdleMs: null,
  byHand: null,
  reservations: [],
  fault: null,
};

/** Judges one look after another, each with what the last remembered. */
function sequence(rules: Partial<DeviceRules>, looks: readonly Partial<GuardFacts>[]) {
  let memory: GuardMemory = NOTHING_REMEMBERED;
  return looks.map((facts) => {
    const verdict = guard(1, { ...DEFAULT_RULES, ...rules }, { ...calm, ...facts }, memory);
    memory = verdict.memory;
    const { closed, ownerPresent, demands } = verdict;
    return [closed?.rule ?? null, ownerPresent, demands.map(({ kind }) => kind).join()];
  });
}

describe('caps', () => {
  it('close a device at once, make jobs give way after half a minute, and end well below', () => {
    const at = (s: number, temperatureC: number | null) => ({ monotonicMs: 1000 * s, temperatureC });
    expect(
      sequence({ maxTemperatureC: 85, overCap: 'pause' }, [
        at(0, 84),
        at(1, 85),
        at(20, 88),
        at(31, 86),
        at(40, 81),
        at(50, 80),
        at(60, null),
        at(70, 79),
        at(80, 84),
      ]),
    ).toEqual([
      [null, false, ''],
      ['temperature', false, ''],
      ['temperature', false, ''],
      ['temperature', false, 'pause'],
      ['temperature', false, 'pause'],
      ['temperature', false, 'pause'],
      ['temperature', false, 'pause'],
      [null, false, ''],
      [null, false, ''],
    ]);
  });

  it('hold for power as well, and leave jobs alone where the owner said so', () => {
    const at = (s: number, powerW: number) => ({ monotonicMs: 1000 * s, powerW });
    expect(
      sequence({ maxPowerW: 300, overCap: 'off' }, [at(0, 300), at(60, 310), at(61, 286), at(62, 284)]),
    ).toEqual([
      ['power', false, ''],
      ['power', false, ''],
      ['power', false, ''],
      [null, false, ''],
    ]);
  });

  it('are none unless they are set, and what is not measured is over none', () => {
    expect(sequence({}, [{ temperatureC: 110 }])).toEqual([[null, false, '']]);
    expect(sequence({ maxTemperatureC: 80 }, [{ temperatureC: null }])).toEqual([[null, false, '']]);
  });
});

describe('presence', () => {
  it('lasts while the desk is in use, to the minute', () => {
    const desk = (deskIdleMs: number | null) => ({ deskIdleMs });
    expect(
      sequence({ presence: 'throttle', idleMin: 10 }, [desk(0), desk(599_999), desk(600_000), desk(null)]),
    ).toEqual([
      [null, true, 'throttle'],
      [null, true, 'throttle'],
      [null, false, ''],
      [null, false, ''],
    ]);
  });

  it('lasts while the owner runs something by hand, and a moment longer', () => {
    const at = (s: number, byHand: string | null) => ({ monotonicMs: 1000 * s, byHand });
    expect(
      sequence({ presence: 'pause' }, [at(0, null), at(1, 'python x.py'), at(30, null), at(32, null)]),
    ).toEqual([
      [null, false, ''],
      [null, true, 'pause'],
      [null, true, 'pause'],
      [null, false, ''],
    ]);
  });

  it('means nothing where the owner wants it so', () => {
    expect(sequence({}, [{ deskIdleMs: 0, byHand: 'python x.py' }])).toEqual([[null, false, '']]);
  });
});

describe('reservations', () => {
  it("make others' jobs give way from their beginning to their end", () => {
    const { nowMs } = calm;
    const reservations = [
      { id: 1, deviceId: 'g1', fromMs: nowMs, toMs: nowMs + 1000, user: 'ada', others: 'pause' as const },
    ];
    const demands = (atMs: number) =>
      guard(1, DEFAULT_RULES, { ...calm, nowMs: atMs, reservations }, NOTHING_REMEMBERED).demands;
    expect([demands(nowMs - 1).length, demands(nowMs + 1000).length]).toEqual([0, 0]);
    expect(strongest(demands(nowMs), 'ben')).toMatchObject({
      kind: 'pause',
      reason: 'GPU 1 is reserved for ada',
    });
    expect(strongest(demands(nowMs), 'ada')).toBeNull();
  });
});

it('the strongest demand is a pause, else the slowest throttle', () => {
  const of = (kind: 'pause' | 'throttle', throttlePercent: number) => ({
    kind,
    throttlePercent,
    reason: '',
    exceptUser: null,
  });
  expect(strongest([of('throttle', 50), of('throttle', 20)], 'ada')).toMatchObject({ throttlePercent: 20 });
  expect(strongest([of('throttle', 20), of('pause', 50)], 'ada')).toMatchObject({ kind: 'pause' });
  expect(strongest([], 'ada')).toBeNull();
});
