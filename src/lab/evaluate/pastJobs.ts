import type { TraceJob } from '../../domain/trace.ts';
import { MOST_PAST_RUNS, type PastRun } from '../../scheduler/snapshot.ts';
import { fitsOn, type MachineSize } from './windows.ts';

/** What a machine remembers: enough for a distribution, and few enough to look through at every decision. */
const MOST_REMEMBERED = 2000;

/** What may be known at the beginning of a window of the jobs that the trace had before. */
export class PastJobs {
  readonly #jobs: readonly TraceJob[];
  /** Ascending by when a job would have ended had it started at once. */
  readonly #rows: Int32Array;

  constructor(jobs: readonly TraceJob[]) {
    this.#jobs = jobs;
    this.#rows = Int32Array.from(jobs, (_job, row) => row).sort((a, b) => this.#endS(a) - this.#endS(b));
  }

  /**
   * GPU-seconds, ascending, of the jobs before a row that fit on the machine and would have ended, alone at their duration
   * after their submission, by the time at which the row's job was submitted: at most the latest 2,000 to end.
   */
  before(firstRow: number, machine: MachineSize): number[] {
    const beginS = this.#jobs[firstRow]!.submitS;
    const gpuS: number[] = [];
    for (let at = this.#endedBy(beginS) - 1; at >= 0 && gpuS.length < MOST_REMEMBERED; at--) {
      const row = this.#rows[at]!;
      const job = this.#jobs[row]!;
      if (row < firstRow && fitsOn(job, machine)) gpuS.push(job.durationS * job.gpus);
    }
    return gpuS.sort((a, b) => a - b);
  }

  /**
   * The same jobs one by one: at most the latest {@link MOST_PAST_RUNS} to end, the latest last. Their ids are below 1, so that
   * they are nobody's in the window, and their times are before its beginning.
   */
  runsBefore(firstRow: number, machine: MachineSize): PastRun[] {
    const beginS = this.#jobs[firstRow]!.submitS;
    const runs: PastRun[] = [];
    for (let at = this.#endedBy(beginS) - 1; at >= 0 && runs.length < MOST_PAST_RUNS; at--) {
      const row = this.#rows[at]!;
      const job = this.#jobs[row]!;
      if (row >= firstRow || !fitsOn(job, machine)) continue;
      const { name, user, gpus, durationS, submitS } = job;
      runs.push({
        id: row - firstRow,
        command: name,
        user: user ?? '',
        gpus,
        submittedAtMs: 1000 * (submitS - beginS),
        ranS: durationS,
      });
    }
    return runs.reverse();
  }

  #endS(row: number): number {
    return this.#jobs[row]!.submitS + this.#jobs[row]!.durationS;
  }

  /** How many end at an instant or before. */
  #endedBy(atS: number): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#endS(this.#rows[middle]!) <= atS) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
