import type { ProcessIdentity } from '../../domain/job.ts';

/** What the process that throttles is told, a line of JSON each. */
export type DutyOrder =
  | { readonly set: number; readonly supervisor: ProcessIdentity; readonly share: number }
  | { readonly clear: number };

/** What it says. */
export type DutyReport =
  /** Once a second: the share that each throttled job had lately. */
  | { readonly achieved: Readonly<Record<string, number | null>> }
  /** It signals this job no more. Whether that runs or stands still now is as chance left it. */
  | { readonly cleared: number };
