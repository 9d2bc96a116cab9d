import type { Job } from '../../domain/job.ts';

/** One thing that a job is told, and how long it has until it is told the next. */
export interface EndStep {
  readonly signal: NodeJS.Signals;
  /** True: only processes that handle the signal hear it; it would kill the others. */
  readonly handled: boolean;
  readonly patienceMs: number;
}

/**
 * How a job is brought to its end: SIGTERM, its grace period, SIGKILL. One that is to go on later is told to write its
 * checkpoint first, and has its grace period for that.
 * @param engineGraceMs for jobs that say nothing of theirs.
 */
export function endSteps(
  job: Pick<Job, 'checkpointSignal' | 'graceS'>,
  toCheckpoint: boolean,
  engineGraceMs: number,
): readonly EndStep[] {
  const graceMs = job.graceS === null ? engineGraceMs : job.graceS * 1000;
  const kill: EndStep = { signal: 'SIGKILL', handled: false, patienceMs: 0 };
  const term = (patienceMs: number): EndStep => ({ signal: 'SIGTERM', handled: false, patienceMs });
  if (!toCheckpoint || job.checkpointSignal === null) return [term(graceMs), kill];
  const checkpoint: EndStep = { signal: job.checkpointSignal, handled: true, patienceMs: graceMs };
  return [checkpoint, term(engineGraceMs), kill];
}
