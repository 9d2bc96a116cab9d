import type { ReportRun } from './report.ts';

/** How many jobs wait and how many run, from each of these times on. */
export interface Counts {
  readonly atS: readonly number[];
  readonly waiting: readonly number[];
  readonly running: readonly number[];
}

/**
 * Counts the jobs of a run over time. Who was submitted, is not finished and does not compute waits: before its start,
 * after a preemption, and while it is paused.
 * @param timeOf puts times on the report's axis.
 */
export function countsOf(run: ReportRun, timeOf: (s: number) => number): Counts {
  const changes: (readonly [atS: number, present: number, running: number])[] = [];
  for (const { submitS, finishS } of run.jobs) {
    changes.push([timeOf(submitS), 1, 0], [timeOf(finishS), -1, 0]);
  }
  for (const { fromS, toS, computes } of run.spans) {
    if (computes) changes.push([timeOf(fromS), 0, 1], [timeOf(toS), 0, -1]);
  }
  changes.sort((a, b) => a[0] - b[0]);
  const counts = { atS: [] as number[], waiting: [] as number[], running: [] as number[] };
  let present = 0;
  let running = 0;
  for (const [index, [atS, presentBy, runningBy]] of changes.entries()) {
    present += presentBy;
    running += runningBy;
    // All that happens at one instant is one step.
    if (changes[index + 1]?.[0] === atS) continue;
    if (counts.waiting.at(-1) === present - running && counts.running.at(-1) === running) continue;
    counts.atS.push(atS);
    counts.waiting.push(present - running);
    counts.running.push(running);
  }
  return counts;
}
