import type { Command } from 'commander';
import type { StintClient } from '../contract/client.ts';
import { FieldError } from '../domain/errors.ts';
import { localDay, parseMoment } from '../domain/moment.ts';
import type { PastJob } from '../domain/pastJob.ts';
import { CliError, STATUS } from './cliError.ts';
import type { Context } from './context.ts';
import { formatTime } from './formatTime.ts';

/** From the first moment to before the last. Unix milliseconds. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface PeriodFlags {
  readonly from?: string;
  readonly to?: string;
}

/** So many of the days that have jobs are named where a period has none. */
const DAYS_NAMED = 10;
const PAGE = 1000;
/** The engine does nothing else while it makes a page: this is about 15 ms. */
const HISTORY_PAGE = 250;

export const PERIOD_HELP = `
Moments are in local time: 2026-11-20, "2026-11-20 14:30", now, today, yesterday, or how long ago, such as 7d. A day
given to --to is in it to its end.`;

/** Adds --from and --to. */
export function withPeriod(command: Command): Command {
  return command
    .option('--from <T>', 'jobs that arrived from this moment on, such as 2026-11-20 (default: the first)')
    .option('--to <T>', 'and before this one; a day counts whole (default: now)');
}

/** @throws {FieldError} naming the flag. */
export function periodOf(context: Context, flags: PeriodFlags): Period {
  const nowMs = context.nowMs();
  const read = (text: string, flag: string, edge: 'start' | 'end') =>
    parseMoment(text, flag, { nowMs, offsetMinAt, edge });
  const fromMs = flags.from === undefined ? 0 : Math.max(0, read(flags.from, '--from', 'start'));
  // What arrives while this runs is not over either.
  const toMs = flags.to === undefined ? nowMs + 1 : read(flags.to, '--to', 'end');
  if (toMs > fromMs) return { fromMs, toMs };
  if (flags.to === undefined) throw new FieldError('--from', flags.from, 'give a moment that has been');
  throw new FieldError('--to', flags.to, `give a moment after --from, which is ${formatTime(fromMs)}`);
}

/** The period for people, as far as it was given. */
export function describePeriod({ fromMs, toMs }: Period, flags: PeriodFlags): string {
  const from = flags.from === undefined ? '' : ` from ${formatTime(fromMs)}`;
  return `${from} until ${flags.to === undefined ? 'now' : formatTime(toMs)}`.trim();
}

/** Minutes by which this machine's local time is ahead of UTC at a moment. */
export const offsetMinAt = (unixMs: number): number => -new Date(unixMs).getTimezoneOffset();

/** Everything that is over and was in the system within the period, page by page, by its end. */
export async function pastJobs(client: StintClient, { fromMs, toMs }: Period): Promise<PastJob[]> {
  const jobs: PastJob[] = [];
  for (let after: Awaited<ReturnType<StintClient['history']['jobs']>>['next'] = null; ; ) {
    const page: Awaited<ReturnType<StintClient['history']['jobs']>> = await client.history.jobs({
      fromMs,
      toMs,
      limit: HISTORY_PAGE,
      after,
    });
    jobs.push(...page.jobs);
    after = page.next;
    if (after === null) return jobs;
  }
}

export const arrivedWithin =
  ({ fromMs, toMs }: Period) =>
  (job: Pick<PastJob, 'readyAtMs'>): boolean =>
    job.readyAtMs >= fromMs && job.readyAtMs < toMs;

/** How many jobs that arrived within the period are not over. */
export async function notOver(client: StintClient, { fromMs, toMs }: Period): Promise<number> {
  let count = 0;
  for (let offset = 0; ; offset += PAGE) {
    const statuses = ['queued', 'held', 'starting', 'running', 'paused', 'stopping'] as const;
    const page = await client.jobs.list({ statuses: [...statuses], limit: PAGE, offset });
    count += page.jobs.filter((job) => job.submittedAtMs >= fromMs && job.submittedAtMs < toMs).length;
    if (page.jobs.length < PAGE) return count;
  }
}

/** What to say of a period without jobs: which days have some. */
export async function emptyPeriod(client: StintClient, period: string): Promise<CliError> {
  const jobs = await pastJobs(client, { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
  const perDay = new Map<string, number>();
  for (const { readyAtMs } of jobs) {
    const day = localDay(readyAtMs, offsetMinAt);
    perDay.set(day, (perDay.get(day) ?? 0) + 1);
  }
  const days = [...perDay].sort(([a], [b]) => (a < b ? -1 : 1));
  const named = days.slice(-DAYS_NAMED).map(([day, count]) => `${day} (${count})`);
  const earlier = days.length > DAYS_NAMED ? `, and on ${days.length - DAYS_NAMED} days before` : '';
  const remedy =
    days.length === 0 ? 'no job has ended yet' : `there are jobs on ${named.join(', ')}${earlier}`;
  return new CliError(STATUS.failed, `no job that is over arrived ${period}`, remedy);
}

/** `1 job`, `3 jobs`. */
export const countOf = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
