import type { ProcessIdentity } from '../../domain/job.ts';

/** What the process that throttles is told, a line of JSON each. */
export type DutyOrder =
  | { readonly set: number; readonly supervisor: ProcessIdentity; readonly share: number }
  /** `stopped`: the job is to stand still from now on, else to run. */
  | { readonly clear: number; readonly stopped: boolean };

/** What it says once a second: the share that each throttled job had lately. */
export interface DutyReport {
  readonly achieved: Readonly<Record<string, number | null>>;
}
