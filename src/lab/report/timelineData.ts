import { FieldError } from '../../domain/errors.ts';
import { type Counts, countsOf } from './counts.ts';
import type { Report, ReportJob, ReportRun } from './report.ts';
import { stackTrack } from './stacking.ts';
import { userTones } from './userTones.ts';

/** What the page's script draws and tells, in columns. Seconds since the first submission, to the millisecond. */
export interface TimelineData {
  readonly gpus: number;
  /** Where the later of the two runs ends. */
  readonly endS: number;
  readonly mostAtOnce: number;
  /** Whoever used most GPU time comes first. */
  readonly users: readonly { readonly name: string; readonly tone: number }[];
  /** Every job that ran under one of the policies, by id. */
  readonly jobs: {
    readonly id: readonly number[];
    readonly name: readonly (string | null)[];
    /** Index into `users`. */
    readonly user: readonly number[];
    readonly gpus: readonly number[];
    readonly submitS: readonly number[];
  };
  readonly runs: readonly RunData[];
}

export interface RunData {
  readonly policy: string;
  readonly counts: Counts;
  /** `job`: index into `jobs`; `computes`: 1, or 0 while it is paused. */
  readonly spans: {
    readonly job: readonly number[];
    readonly fromS: readonly number[];
    readonly toS: readonly number[];
    readonly computes: readonly number[];
    readonly devices: readonly (readonly number[])[];
  };
  /** For each GPU, in the order of time: index of the span, its lane, and how many lanes there are then. */
  readonly tracks: readonly {
    readonly span: readonly number[];
    readonly lane: readonly number[];
    readonly lanes: readonly number[];
  }[];
  /** One entry each of `jobs`; null for what did not run under this policy. */
  readonly outcomes: {
    readonly startS: readonly (number | null)[];
    readonly finishS: readonly (number | null)[];
    readonly slowdown: readonly (number | null)[];
    /** Submitted, not finished, and not computing. */
    readonly waitedS: readonly (number | null)[];
  };
}

/**
 * Prepares a report for drawing.
 * @throws {FieldError} naming the span that is not of this report: of no such job, or on no such GPU.
 */
export function timelineData(report: Report): TimelineData {
  const jobs = allJobs(report.runs);
  const users = byGpuTime(report.runs, jobs);
  const tones = userTones(users);
  const originS = jobs.reduce((min, { submitS }) => Math.min(min, submitS), Number.POSITIVE_INFINITY);
  const timeOf = (s: number): number => Math.round((s - originS) * 1000) / 1000;
  const indexOf = new Map(jobs.map(({ id }, index) => [id, index]));
  const userIndex = new Map(users.map((user, index) => [user, index]));
  const runs = report.runs.map((run) => runData(run, { jobs, indexOf, timeOf, gpus: report.gpus }));
  return {
    gpus: report.gpus,
    endS: runs.reduce((end, run) => Math.max(end, endOf(run)), 0),
    mostAtOnce: runs.reduce(
      (most, { counts }) => Math.max(most, peak(counts.waiting), peak(counts.running)),
      0,
    ),
    users: users.map((name) => ({ name, tone: tones.get(name)! })),
    jobs: {
      id: jobs.map(({ id }) => id),
      name: jobs.map(({ name }) => name),
      user: jobs.map(({ user }) => userIndex.get(user)!),
      gpus: jobs.map(({ gpus }) => gpus),
      submitS: jobs.map(({ submitS }) => timeOf(submitS)),
    },
    runs,
  };
}

/** The largest of them, 0 of none. */
export function peak(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function endOf(run: RunData): number {
  const finishesS = run.outcomes.finishS.map((s) => s ?? 0);
  return Math.max(peak(finishesS), peak(run.spans.toS));
}

function allJobs(runs: readonly ReportRun[]): ReportJob[] {
  const byId = new Map<number, ReportJob>();
  for (const run of runs) for (const job of run.jobs) if (!byId.has(job.id)) byId.set(job.id, job);
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

/** Ties by name, in the order of code units. */
function byGpuTime(runs: readonly ReportRun[], jobs: readonly ReportJob[]): string[] {
  const userOf = new Map(jobs.map(({ id, user }) => [id, user]));
  const gpuS = new Map(jobs.map(({ user }) => [user, 0]));
  for (const { spans } of runs) {
    for (const { jobId, devices, fromS, toS, computes } of spans) {
      const user = userOf.get(jobId);
      if (user !== undefined && computes) gpuS.set(user, gpuS.get(user)! + (toS - fromS) * devices.length);
    }
  }
  const inOrder = [...gpuS].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
  return inOrder.map(([user]) => user);
}

interface Frame {
  readonly jobs: readonly ReportJob[];
  readonly indexOf: ReadonlyMap<number, number>;
  readonly timeOf: (s: number) => number;
  readonly gpus: number;
}

function runData(run: ReportRun, { jobs, indexOf, timeOf, gpus }: Frame): RunData {
  const { spans } = run;
  const onGpu: number[][] = Array.from({ length: gpus }, () => []);
  const computedS = new Map<number, number>();
  const ran = new Map(run.jobs.map((job) => [job.id, job]));
  for (const [index, { jobId, devices, fromS, toS, computes }] of spans.entries()) {
    if (!ran.has(jobId)) throw new FieldError('spans', jobId, `give this job among those of ${run.policy}`);
    for (const device of devices) {
      if (!onGpu[device]) throw new FieldError('spans', device, `give only GPUs from 0 to ${gpus - 1}`);
      onGpu[device].push(index);
    }
    if (computes) computedS.set(jobId, (computedS.get(jobId) ?? 0) + toS - fromS);
  }
  const outcomes = jobs.map(({ id }) => ran.get(id) ?? null);
  const waitedS = (job: ReportJob): number => {
    const ranS = computedS.get(job.id);
    const waited = ranS === undefined ? job.startS - job.submitS : job.finishS - job.submitS - ranS;
    return Math.max(0, Math.round(waited * 1000) / 1000);
  };
  return {
    policy: run.policy,
    counts: countsOf(run, timeOf),
    spans: {
      job: spans.map(({ jobId }) => indexOf.get(jobId)!),
      fromS: spans.map(({ fromS }) => timeOf(fromS)),
      toS: spans.map(({ toS }) => timeOf(toS)),
      computes: spans.map(({ computes }) => (computes ? 1 : 0)),
      devices: spans.map(({ devices }) => devices),
    },
    tracks: onGpu.map((track) => {
      const placed = stackTrack(spans, track);
      return {
        span: placed.map(({ span }) => span),
        lane: placed.map(({ lane }) => lane),
        lanes: placed.map(({ lanes }) => lanes),
      };
    }),
    outcomes: {
      startS: outcomes.map((job) => job && timeOf(job.startS)),
      finishS: outcomes.map((job) => job && timeOf(job.finishS)),
      slowdown: outcomes.map((job) => job && Math.round(job.slowdown * 1e4) / 1e4),
      waitedS: outcomes.map((job) => job && waitedS(job)),
    },
  };
}
