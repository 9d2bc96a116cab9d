import { z } from 'zod';

/** What happens to jobs on a device while its owner needs it: nothing, they slow down, or they stand still. */
export const YIELDS = ['off', 'throttle', 'pause'] as const;
export type Yield = (typeof YIELDS)[number];

/** What the owner wants of one device. */
export const deviceRulesSchema = z.strictObject({
  /** Jobs beside processes that are not ours: `share`: where they fit; `avoid`: none while somebody else computes there. */
  foreign: z.enum(['share', 'avoid'], 'choose share or avoid'),
  /** What jobs do while the owner is there: sits at the desk, or runs something on it by hand. */
  presence: z.enum(YIELDS, `choose from ${YIELDS.join(', ')}`),
  /** Minutes without input at the desk after which its owner has left. */
  idleMin: z
    .number('give minutes')
    .min(1, 'give at least 1 minute')
    .max(24 * 60, 'give at most a day, 1440 minutes'),
  /** Nothing is started from this temperature on, °C; null: it may get as hot as its driver lets it. */
  maxTemperatureC: z
    .number('give °C')
    .min(30, 'give at least 30 °C')
    .max(120, 'give at most 120 °C')
    .nullable(),
  /** Nothing is started from this power on, W; null: it may draw what its driver lets it. */
  maxPowerW: z.number('give W').min(10, 'give at least 10 W').max(5000, 'give at most 5000 W').nullable(),
  /** What its jobs do once it has been over one of these for half a minute. */
  overCap: z.enum(YIELDS, `choose from ${YIELDS.join(', ')}`),
  /** How much of their speed throttled jobs keep, in percent. */
  throttlePercent: z
    .int('give whole percent')
    .min(5, 'give at least 5 %: below that, pause')
    .max(95, 'give at most 95 %'),
});
export type DeviceRules = z.output<typeof deviceRulesSchema>;

/** What a device has that nobody gave rules. */
export const DEFAULT_RULES: DeviceRules = {
  foreign: 'share',
  presence: 'off',
  idleMin: 10,
  maxTemperatureC: null,
  maxPowerW: null,
  overCap: 'pause',
  throttlePercent: 30,
};

/** A time in which a device is one user's. Half open, Unix milliseconds. */
export const reservationSchema = z.object({
  id: z.int(),
  deviceId: z.string(),
  fromMs: z.number(),
  toMs: z.number(),
  /** Whose jobs may run there in that time. */
  user: z.string(),
  /** What others' jobs on it do in that time. */
  others: z.enum(YIELDS),
});
export type Reservation = z.output<typeof reservationSchema>;

/** A process of somebody else's that the owner said not to mind. */
export const ignoredProcessSchema = z.object({
  deviceId: z.string(),
  pid: z.int(),
  /** As the kernel gives it: with the pid and the boot it names the process for good. */
  startTime: z.string(),
  bootId: z.string(),
  command: z.string().nullable(),
});
export type IgnoredProcess = z.output<typeof ignoredProcessSchema>;
