import type { PastJob } from '../../domain/pastJob.ts';
import { countUpTo } from '../../domain/sorted.ts';

/** A job of the record that a replay can take: it ran on GPUs, and is over. */
export interface RecordedJob extends PastJob {
  readonly startedAtMs: number;
}

/** What a replay takes from the record, and what it leaves out. */
export interface Recording {
  /** By arrival, then by id. */
  readonly jobs: readonly RecordedJob[];
  /** Arrival of the first: the replay's time begins here. */
  readonly originMs: number;
  readonly cpuOnly: number;
  readonly neverRan: number;
  /** Jobs that came before the period and held GPUs after the first arrival. */
  readonly spilledIn: number;
  /** What a start usually takes, see {@link startDelaysS}. Seconds. */
  readonly startS: number;
}

/**
 * @param history every job that is over and was in the system within the period.
 * @param arrived which of them arrived within it.
 */
export function recordingOf(history: readonly PastJob[], arrived: (job: PastJob) => boolean): Recording {
  const ran = history.filter((job): job is RecordedJob => job.startedAtMs !== null);
  ran.sort((a, b) => a.readyAtMs - b.readyAtMs || a.id - b.id);
  const onGpus = ran.filter((job) => job.gpus > 0);
  const jobs = onGpus.filter(arrived);
  const originMs = jobs[0]?.readyAtMs ?? 0;
  const before = onGpus.filter((job) => !arrived(job) && job.readyAtMs < originMs);
  return {
    jobs,
    originMs,
    cpuOnly: ran.filter((job) => job.gpus === 0 && arrived(job)).length,
    neverRan: history.filter((job) => job.startedAtMs === null && arrived(job)).length,
    spilledIn: before.filter((job) => job.finishedAtMs > originMs).length,
    startS: jobs.length === 0 ? 0 : usualDelayS(startDelaysS(jobs, onGpus)),
  };
}

/** Delays of so many times the median were due to what is not in the record, such as an engine that did not run. */
const OUTLIER = 10;

/** What a start takes, by the record itself: the mean of the delays without outliers, in seconds. */
function usualDelayS(delaysS: readonly number[]): number {
  const most = OUTLIER * median(delaysS);
  const usual = delaysS.filter((s) => s <= most);
  return usual.reduce((sum, s) => sum + s, 0) / usual.length;
}

/**
 * The time from what let each job start (its arrival, or the last end of another before its start) to its start, in
 * seconds.
 * @param all the jobs whose ends count.
 */
function startDelaysS(jobs: readonly RecordedJob[], all: readonly RecordedJob[]): number[] {
  const endsMs = all.map(({ finishedAtMs }) => finishedAtMs).sort((a, b) => a - b);
  return jobs.map(({ readyAtMs, startedAtMs }) => {
    const ended = endsMs[countUpTo(endsMs, startedAtMs) - 1] ?? 0;
    return Math.max(0, startedAtMs - Math.max(readyAtMs, ended)) / 1000;
  });
}

/** Of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
