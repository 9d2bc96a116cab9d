import type { CodeRecord } from './codeRecord.ts';
import { formatDuration } from './units.ts';

/** A record made so much later than the submission may be of other code, which is said. */
const LATE_MS = 60_000;

const files = (n: number, what: string): string => `${n} ${n === 1 ? 'file' : 'files'} ${what}`;

/** How long after the submission it was recorded, milliseconds; null: right after it. */
export function lateness({ atMs }: Pick<CodeRecord, 'atMs'>, submittedAtMs: number): number | null {
  return atMs - submittedAtMs > LATE_MS ? atMs - submittedAtMs : null;
}

/** The record in a line: `3f2a1bc04d on main, 2 files changed, 1 file untracked`. */
export function codeText(record: CodeRecord, submittedAtMs: number): string {
  const { commit, branch, changed, untrackedCount, diffCut, trouble } = record;
  if (trouble !== null) return `not recorded: ${trouble}`;
  const late = lateness(record, submittedAtMs);
  const head = commit === null ? 'no commit yet' : commit.slice(0, 10);
  const parts = [
    `${head}${branch === null ? ', no branch' : ` on ${branch}`}`,
    changed === 0 ? 'nothing changed' : `${files(changed, 'changed')}${diffCut ? ' (diff cut)' : ''}`,
    ...(untrackedCount === 0 ? [] : [files(untrackedCount, 'untracked')]),
    ...(late === null ? [] : [`as it was ${formatDuration(late)} after the submission`]),
  ];
  return parts.join(', ');
}
