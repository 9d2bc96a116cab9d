import type { JobView } from '../../contract/messages.ts';
import { isTerminal, servedGpuS } from '../../domain/job.ts';
import type { Energy } from '../../domain/usage.ts';
import { isTrouble } from '../shell/StatusMark.tsx';

/** What jobs that have something in common took. */
export interface Total {
  readonly name: string;
  readonly jobs: number;
  readonly gpuHours: number;
  /** Drawn by their GPUs; null: no power was measured. */
  readonly joules: number | null;
  /** Of the GPU-hours, those for which power was measured. */
  readonly measuredGpuHours: number;
  /** Of those that are over, how many ended as nobody wanted. */
  readonly failed: number;
  readonly over: number;
  /** Half of those that were started waited no longer, seconds; null: none was. */
  readonly medianWaitS: number | null;
}

/** The jobs by what `nameOf` says of them, who took most first. */
export function totalsBy(
  jobs: readonly JobView[],
  nameOf: (job: JobView) => string,
  nowMs: number,
  energy: ReadonlyMap<number, Energy> = new Map(),
): readonly Total[] {
  return [...Map.groupBy(jobs, nameOf)]
    .map(([name, those]) => totalOf(name, those, nowMs, energy))
    .sort((a, b) => b.gpuHours - a.gpuHours || b.jobs - a.jobs || a.name.localeCompare(b.name));
}

/** @param nowMs until when a job that runs is counted. */
export function totalOf(
  name: string,
  jobs: readonly JobView[],
  nowMs: number,
  energy: ReadonlyMap<number, Energy> = new Map(),
): Total {
  const waits = jobs
    .flatMap((job) =>
      job.startedAtMs === null || job.attempt > 1 ? [] : [(job.startedAtMs - job.submittedAtMs) / 1000],
    )
    .sort((a, b) => a - b);
  const over = jobs.filter(({ status }) => isTerminal(status));
  const drawn = jobs.flatMap(({ id }) => energy.get(id) ?? []);
  return {
    name,
    jobs: jobs.length,
    gpuHours: jobs.reduce((sum, job) => sum + (job.gpus === 0 ? 0 : servedGpuS(job, nowMs)), 0) / 3600,
    joules: drawn.length === 0 ? null : drawn.reduce((sum, { joules }) => sum + joules, 0),
    measuredGpuHours: drawn.reduce((sum, { measuredGpuS }) => sum + measuredGpuS, 0) / 3600,
    failed: over.filter(({ status }) => isTrouble(status)).length,
    over: over.length,
    medianWaitS: waits[Math.floor((waits.length - 1) / 2)] ?? null,
  };
}
