import { describe, expect, it } from 'vitest';
import {
  DAYS,
  DEFAULT_MACHINE_RULES,
  diskFloorMib,
  machineRulesSchema,
  type QuietHours,
  quietHoursSchema,
  quietNow,
} from '../../src/domain/machineRules.ts';

const hours = (change: Partial<QuietHours>): QuietHours => ({
  days: [...DAYS],
  from: '22:00',
  to: '07:00',
  exceptPriority: null,
  running: 'off',
  throttlePercent: 30,
  ...change,
});
const isQuiet = (rule: QuietHours, day: number, clock: string): boolean =>
  quietNow([rule], { day, minute: Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3)) }).length > 0;

describe('quiet hours', () => {
  it('go on over midnight into the day after those on which they begin', () => {
    const friday = hours({ days: ['fri'] });
    const at = (day: number, clock: string) => isQuiet(friday, day, clock);
    expect([at(4, '21:59'), at(4, '22:00'), at(4, '23:59')]).toEqual([false, true, true]);
    expect([at(5, '00:00'), at(5, '06:59'), at(5, '07:00'), at(5, '22:30')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(at(4, '03:00')).toBe(false);
  });

  it('reach from Sunday into Monday', () => {
    const sunday = hours({ days: ['sun'] });
    expect([isQuiet(sunday, 6, '22:00'), isQuiet(sunday, 0, '06:00'), isQuiet(sunday, 1, '06:00')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('stay within a day', () => {
    const office = hours({ days: ['mon', 'tue'], from: '09:00', to: '17:30' });
    expect([
      isQuiet(office, 0, '09:00'),
      isQuiet(office, 1, '17:29'),
      isQuiet(office, 1, '17:30'),
      isQuiet(office, 2, '10:00'),
    ]).toEqual([true, true, false, false]);
  });

  it.each([
    [{ from: '24:00' }, 'from'],
    [{ to: '7:00' }, 'to'],
    [{ to: '22:00' }, 'to'],
    [{ days: [] }, 'days'],
    [{ throttlePercent: 2 }, 'throttlePercent'],
  ])('refuse %j by its field', (change, field) => {
    const { error } = quietHoursSchema.safeParse({ ...hours({}), ...change });
    expect(error?.issues[0]?.path[0]).toBe(field);
  });
});

it('the disk floor is a gibibyte, less on a small disk, or as given', () => {
  expect(diskFloorMib(DEFAULT_MACHINE_RULES, 1_000_000)).toBe(1024);
  expect(diskFloorMib(DEFAULT_MACHINE_RULES, 1000)).toBe(50);
  expect(diskFloorMib(machineRulesSchema.parse({ ...DEFAULT_MACHINE_RULES, diskFloorMib: 0 }), 1000)).toBe(0);
});
