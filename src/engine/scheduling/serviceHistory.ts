import { gpusOf, type Job } from '../../domain/job.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import { countBelow } from '../../domain/sorted.ts';
import { MOST_PAST_RUNS, type PastRun } from '../../scheduler/snapshot.ts';

/** Jobs that are remembered: of more, `gittins` looks at quantiles anyway. */
export const MOST_REMEMBERED = 1000;

/** The GPU-seconds that the latest jobs took which ended by themselves: what policies may know of the past. */
export class ServiceHistory {
  /** The latest last. */
  private readonly byEnd: number[];
  private ascending: readonly number[];
  private latestRuns: readonly PastRun[];

  /** @param latest jobs that are over, the latest first. */
  constructor(latest: Iterable<Job>) {
    this.byEnd = [];
    const runs: PastRun[] = [];
    // One at a time: an environment may be large.
    for (const job of latest) {
      const gpuS = serviceOf(job);
      if (gpuS === null || this.byEnd.length === MOST_REMEMBERED) continue;
      this.byEnd.push(gpuS);
      if (runs.length < MOST_PAST_RUNS) runs.push(pastRunOf(job, gpuS));
    }
    this.latestRuns = runs.reverse();
    this.byEnd.reverse();
    this.ascending = this.byEnd.toSorted((a, b) => a - b);
  }

  /** Ascending. Another array after each change. */
  get gpuSeconds(): readonly number[] {
    return this.ascending;
  }

  /** The latest of the same jobs one by one, the latest last. Another array after each change. */
  get runs(): readonly PastRun[] {
    return this.latestRuns;
  }

  ended(job: Job): void {
    const gpuS = serviceOf(job);
    if (gpuS === null) return;
    this.latestRuns = [...this.latestRuns.slice(1 - MOST_PAST_RUNS), pastRunOf(job, gpuS)];
    const ascending = [...this.ascending];
    if (this.byEnd.length === MOST_REMEMBERED)
      ascending.splice(countBelow(ascending, this.byEnd.shift()!), 1);
    this.byEnd.push(gpuS);
    ascending.splice(countBelow(ascending, gpuS), 0, gpuS);
    this.ascending = ascending;
  }
}

function pastRunOf(job: Job, gpuS: number): PastRun {
  const { id, user, gpus, submittedAtMs } = job;
  return { id, command: commandOf(job), user, gpus, submittedAtMs, ranS: gpuS / gpus };
}

/** What tells runs of the same from others: what is run, with its arguments, and where. */
export function commandOf({ command, cwd }: Pick<Job, 'command' | 'cwd'>): string {
  return [cwd, ...command].join('\0');
}

/** Null for a job that took no GPU, or that somebody or something else ended. */
function serviceOf(job: Job): number | null {
  const { status, gpus, finishedAtMs } = job;
  if ((status !== 'succeeded' && status !== 'failed') || gpus === 0 || finishedAtMs === null) return null;
  const ranS = runSeconds(job, finishedAtMs);
  return ranS > 0 ? ranS * gpusOf(job) : null;
}
