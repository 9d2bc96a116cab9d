import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Job } from '../../domain/job.ts';
import { processEntry } from '../jobs/processes.ts';

/** Names the run directory of the launch to which a process belongs, in its environment. */
export const RUN_VARIABLE = 'STINT_RUN_DIR';

/** A process that is nobody's now may yet be found to be ours: it has just been forked, or is about to exec. */
const UNOWNED_KEPT_MS = 5000;
const MOST_ANCESTORS = 128;

export interface ProcessOwnersOptions {
  /** Jobs that have, or may have, a process. */
  readonly live: () => readonly Job[];
  /** Changes whenever those do. */
  readonly liveSeq: () => number;
  /** Directory of the run directories: a job's is `ID/ATTEMPT` below it. */
  readonly runsPath: string;
  readonly monotonicMs: () => number;
}

/**
 * Tells whose a process is. It is a job's when it stands below the job's supervisor or in its session; when it was seen
 * to do so once, whatever became of its parents; or when its environment names one of our run directories, which also
 * holds for what a job left behind. Costs a few small reads a process, and nothing for those that were asked for before.
 */
export class ProcessOwners {
  private readonly options: ProcessOwnersOptions;
  private seq = Number.NaN;
  private supervisors = new Map<number, { readonly jobId: number; readonly startTime: string }>();
  /** By pid. */
  private readonly known = new Map<
    number,
    { readonly startTime: string; readonly jobId: number | null; readonly atMs: number }
  >();

  constructor(options: ProcessOwnersOptions) {
    this.options = options;
  }

  /** The job that a process belongs to, be it over or not; null: none of ours, or it is gone. */
  jobOf(pid: number): number | null {
    const entry = processEntry(pid);
    if (entry === null) {
      this.known.delete(pid);
      return null;
    }
    const nowMs = this.options.monotonicMs();
    const known = this.known.get(pid);
    if (
      known?.startTime === entry.startTime &&
      (known.jobId !== null || nowMs - known.atMs < UNOWNED_KEPT_MS)
    )
      return known.jobId;
    const jobId = this.byAncestry(pid) ?? this.byEnvironment(pid);
    this.known.set(pid, { startTime: entry.startTime, jobId, atMs: nowMs });
    return jobId;
  }

  /** Forgets all processes but these. */
  keep(pids: { has(pid: number): boolean }): void {
    for (const pid of this.known.keys()) if (!pids.has(pid)) this.known.delete(pid);
  }

  private byAncestry(pid: number): number | null {
    this.refresh();
    let entry = processEntry(pid);
    for (let up = 0; entry !== null && up < MOST_ANCESTORS; up++) {
      const owner = this.supervisors.get(entry.pid);
      if (owner?.startTime === entry.startTime) return owner.jobId;
      const leader = this.supervisors.get(entry.session);
      // While a session has members nobody else is given its number.
      const leads = leader && (processEntry(entry.session)?.startTime ?? leader.startTime);
      if (leader && leads === leader.startTime) return leader.jobId;
      if (entry.ppid <= 1) break;
      entry = processEntry(entry.ppid);
    }
    return null;
  }

  private byEnvironment(pid: number): number | null {
    let environment: string;
    try {
      environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    } catch {
      // Another user's, or gone: then it is not ours either.
      return null;
    }
    const marker = `${RUN_VARIABLE}=${join(this.options.runsPath, sep)}`;
    const value = environment.split('\0').find((text) => text.startsWith(marker));
    const id = Number(value?.slice(marker.length).split(sep)[0]);
    return Number.isSafeInteger(id) && id > 0 ? id : null;
  }

  private refresh(): void {
    const seq = this.options.liveSeq();
    if (seq === this.seq) return;
    this.seq = seq;
    this.supervisors = new Map(
      this.options
        .live()
        .flatMap(({ id, process }) =>
          process ? [[process.pid, { jobId: id, startTime: process.startTime }] as const] : [],
        ),
    );
  }
}
