import { FieldError } from './errors.ts';
import type { Dependency } from './terms.ts';

/** Reader of a list of job ids (`12`, `12,13` or `12:13`) to wait for; given again, it adds to them. */
export const dependencies =
  (flag: string, on: Dependency['on']) =>
  (text: string, before: readonly Dependency[] = []): Dependency[] => [
    ...before,
    ...text.split(/[,:]/).map((id) => ({ jobId: jobIdOf(flag, id, text), on })),
  ];

/** The same for numbers of arrays. */
export const arrays =
  (flag: string, on: Dependency['on']) =>
  (text: string, before: readonly Dependency[] = []): Dependency[] => [
    ...before,
    ...dependencies(flag, on)(text).map((one) => ({ ...one, array: true as const })),
  ];

/** Slurm's words. `after` (once it has started) is not among them: jobs here wait for an end. */
const SLURM: Readonly<Record<string, Dependency['on']>> = {
  afterok: 'ok',
  afterany: 'any',
  afternotok: 'not-ok',
};

/** Reader of Slurm's `--dependency afterok:12:13,afterany:14`: all of them must hold. */
export function slurmDependencies(text: string, before: readonly Dependency[] = []): Dependency[] {
  const flag = '--dependency';
  return [
    ...before,
    ...text.split(',').flatMap((clause) => {
      const [word = '', ...ids] = clause.trim().split(':');
      const on = SLURM[word.toLowerCase()];
      if (on === undefined || ids.length === 0) {
        throw new FieldError(flag, text, 'give afterok, afterany or afternotok, such as afterok:12:13');
      }
      return ids.map((id) => ({ jobId: jobIdOf(flag, id, text), on }));
    }),
  ];
}

function jobIdOf(flag: string, id: string, text: string): number {
  const jobId = /^\s*\d+\s*$/.test(id) ? Number(id) : 0;
  if (jobId >= 1 && Number.isSafeInteger(jobId)) return jobId;
  throw new FieldError(flag, text, 'give job ids, such as 12,13');
}
