import { z } from 'zod';
import { YIELDS } from './deviceRules.ts';
import { pauseBySchema, throttleBySchema } from './rungSchemas.ts';

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'give a time of day, such as 22:00');

/** Days as people write them, Monday first. */
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/**
 * Hours in which few jobs may start. Times are those of the machine's clock on the wall, whatever the day's length:
 * what begins at 22:00 does so in summer and winter.
 */
export const quietHoursSchema = z
  .strictObject({
    /** On which days it begins. */
    days: z.array(z.enum(DAYS, `choose from ${DAYS.join(', ')}`)).min(1, 'give at least one day'),
    from: clock,
    /** Where this is not after `from` it is on the next day. */
    to: clock,
    /** Jobs of at least this priority start all the same; null: none does. */
    exceptPriority: z.int('give a whole number').min(-1000).max(1000).nullable(),
    /** What those that run do. */
    running: z.enum(YIELDS, `choose from ${YIELDS.join(', ')}`),
    /** How much of their speed throttled jobs keep, in percent. */
    throttlePercent: z.int('give whole percent').min(5, 'give at least 5 %').max(95, 'give at most 95 %'),
  })
  .refine(({ from, to }) => from !== to, {
    message: 'give another time than that at which they begin',
    path: ['to'],
  });
export type QuietHours = z.output<typeof quietHoursSchema>;

/** undo: jobs run as they can. keep: what the kernel keeps to by itself stays. */
export const WHEN_STOPPED = ['undo', 'keep'] as const;

/** look: agents see what there is. act: they may also submit and control jobs, which is to run programs as the owner. */
export const AGENTS_MAY = ['look', 'act'] as const;

/** What the owner wants of the machine as a whole. */
export const machineRulesSchema = z.strictObject({
  /** Nothing is started while less is free where jobs write, MiB; null: 1 GiB, but at most 5 % of that disk. */
  diskFloorMib: z.int('give whole MiB').min(0, 'give 0 or more').nullable(),
  quietHours: z.array(quietHoursSchema).max(20, 'give at most 20'),
  /** How a job is paused where the person who does it does not say. */
  pauseBy: pauseBySchema,
  /** How a job is slowed down where the person who does it does not say. */
  throttleBy: throttleBySchema,
  /** What becomes of throttles, and of pauses by rules and policies, while no Stint runs. */
  whenStopped: z.enum(WHEN_STOPPED, `choose from ${WHEN_STOPPED.join(', ')}`),
  /** Variables and options whose values are secrets, beside those that Stint knows; `*` at an end: any characters. */
  secretNames: z
    .array(
      z.string().regex(/^\*?[A-Za-z_][\w.-]{0,99}\*?$/, 'give names, such as MY_LICENCE, LDAP_* or *_PIN'),
    )
    .max(100, 'give at most 100'),
  /** For so many days after its end a job can be tried again with its secrets; then they are forgotten. */
  secretDays: z.int('give whole days').min(0, 'give 0 or more days').max(3650, 'give at most ten years'),
  /** For so many days after its end a job that ran from a copy can be tried again in it; then the copy is removed. */
  snapshotDays: z.int('give whole days').min(0, 'give 0 or more days').max(3650, 'give at most ten years'),
  /**
   * The log of an attempt takes no more of the disk, MiB: its beginning and its latest part stay, what is between goes. null: it
   * grows as it will.
   */
  logCapMib: z.int('give whole MiB').min(32, 'give at least 32 MiB').nullable(),
  /** All logs together take no more, MiB: those of jobs that ended first are removed, those of running jobs never. null: no cap. */
  logTotalMib: z.int('give whole MiB').min(32, 'give at least 32 MiB').nullable(),
  /** Whether that is also done to logs that lie where `--output` says. */
  capOutput: z.boolean('give true or false'),
  /** What agents may do that come over `stint mcp`. */
  agents: z.enum(AGENTS_MAY, `choose from ${AGENTS_MAY.join(', ')}`),
  /** A collector of OpenTelemetry that is sent the life of each job that is over; null: none. */
  tracesUrl: z
    .url({ protocol: /^https?$/, error: 'give an address, such as http://127.0.0.1:4318' })
    .max(2000)
    .refine((url) => !/^https?:\/\/[^/]*@/.test(url), 'give an address without a user')
    .nullable(),
});
export type MachineRules = z.output<typeof machineRulesSchema>;

export const DEFAULT_MACHINE_RULES: MachineRules = {
  diskFloorMib: null,
  quietHours: [],
  pauseBy: 'signals',
  throttleBy: 'duty-cycle',
  whenStopped: 'undo',
  secretNames: [],
  secretDays: 30,
  snapshotDays: 30,
  logCapMib: 1024,
  logTotalMib: null,
  capOutput: false,
  agents: 'look',
  tracesUrl: null,
};

/** What a clock on the wall shows. `day` counts from Monday, 0 to 6. */
export interface WallClock {
  readonly day: number;
  /** Since midnight as the clock shows it. */
  readonly minute: number;
}

/** Of those hours the ones that are now. */
export function quietNow(hours: readonly QuietHours[], now: WallClock): readonly QuietHours[] {
  return hours.filter(({ days, from, to }) => {
    const [begin, end] = [minuteOf(from), minuteOf(to)];
    const today = days.includes(DAYS[now.day]!);
    if (begin < end) return today && now.minute >= begin && now.minute < end;
    const yesterday = days.includes(DAYS[(now.day + 6) % 7]!);
    return (today && now.minute >= begin) || (yesterday && now.minute < end);
  });
}

/** The same hours by another name: `quiet hours until 07:00`. */
export const quietText = ({ to }: QuietHours): string => `quiet hours until ${to}`;

const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

/** Free space below which nothing is started, MiB. @param totalMib of the disk that jobs write to. */
export const diskFloorMib = ({ diskFloorMib: given }: MachineRules, totalMib: number): number =>
  given ?? Math.min(1024, 0.05 * totalMib);
