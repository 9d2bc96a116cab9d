import type { JobView } from '../../contract/messages.ts';
import { isLive, isTerminal } from '../../domain/job.ts';
import { isTrouble } from '../shell/StatusMark.tsx';

/** How the jobs of an array stand. */
export interface ArraySummary {
  readonly size: number;
  readonly running: number;
  readonly waiting: number;
  readonly over: number;
  /** Of those that are over and known, how many ended as nobody wanted. */
  readonly failed: number;
}

/** @param jobs of one array, with all of those that are not over. */
export function arraySummary(jobs: readonly JobView[]): ArraySummary {
  const size = jobs[0]?.array?.size ?? jobs.length;
  const running = jobs.filter(({ status }) => isLive(status)).length;
  const current = jobs.filter(({ status }) => !isTerminal(status)).length;
  return {
    size,
    running,
    waiting: current - running,
    over: size - current,
    failed: jobs.filter(({ status }) => isTrouble(status)).length,
  };
}
