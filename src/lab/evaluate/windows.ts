import type { TraceJob } from '../../domain/trace.ts';

/** Consecutive jobs of a trace. */
export interface Window {
  /** From 0. */
  readonly index: number;
  /** Row of its first job in the trace. */
  readonly firstRow: number;
  readonly jobs: readonly TraceJob[];
}

/**
 * Cuts a trace into windows of so many consecutive jobs. What is left at the end is a window too if it has at least
 * half as many jobs, and is dropped otherwise.
 */
export function cutWindows(jobs: readonly TraceJob[], jobsPerWindow: number): Window[] {
  const windows: Window[] = [];
  for (let firstRow = 0; firstRow < jobs.length; firstRow += jobsPerWindow) {
    const cut = jobs.slice(firstRow, firstRow + jobsPerWindow);
    if (2 * cut.length >= jobsPerWindow) windows.push({ index: windows.length, firstRow, jobs: cut });
  }
  return windows;
}

/** Offered load of jobs: Σ duration·gpus / (N · span), span being the time from the first arrival to the last. */
export function offeredLoad(jobs: readonly TraceJob[], gpus: number): number {
  return workOf(jobs) / (gpus * spanOf(jobs));
}

const workOf = (jobs: readonly TraceJob[]): number =>
  jobs.reduce((sum, { durationS, gpus }) => sum + durationS * gpus, 0);
const spanOf = (jobs: readonly TraceJob[]): number => jobs.at(-1)!.submitS - jobs[0]!.submitS;

/** A window as a machine gets it, or why it does not. */
export type Fitted =
  | { readonly jobs: readonly TraceJob[]; readonly dropped: number }
  | { readonly reason: string };

/**
 * A window's jobs on a machine: those that are larger are left out, and the arrivals of the others are rescaled, from 0
 * on, so that they offer the load.
 * @param load above 0.
 */
export function fitWindow(jobs: readonly TraceJob[], machine: MachineSize, load: number): Fitted {
  const fitting = jobs.filter((job) => fitsOn(job, machine));
  if (fitting.length < 2) return { reason: `${fitting.length} of ${jobs.length} jobs fit on the machine` };
  const firstS = fitting[0]!.submitS;
  const spanS = spanOf(fitting);
  if (spanS === 0) return { reason: 'all of its jobs arrive at once' };
  const workS = workOf(fitting);
  if (workS === 0) return { reason: 'its jobs take no time' };
  const factor = workS / (machine.gpus * load) / spanS;
  return {
    jobs: fitting.map((job) => ({ ...job, submitS: (job.submitS - firstS) * factor })),
    dropped: jobs.length - fitting.length,
  };
}

export interface MachineSize {
  readonly gpus: number;
  readonly vramMib: number;
}

/** Whether a job asks for no more than there is. */
export const fitsOn = (job: TraceJob, { gpus, vramMib }: MachineSize): boolean =>
  job.gpus <= gpus && (job.vramMib ?? 0) <= vramMib;
