import { z } from 'zod';

/** Bytes of a diff that are kept. */
export const MOST_DIFF_BYTES = 512 * 1024;
/** Names of untracked files that are kept. */
export const MOST_UNTRACKED = 1000;

/** What git said of a job's directory right after its submission. Secrets are left out. */
export const codeRecordSchema = z.object({
  /** The directory of the work tree. */
  root: z.string(),
  /** What HEAD was; null: nothing was committed yet, or git could not be asked. */
  commit: z.string().nullable(),
  /** null: HEAD was detached, or git could not be asked. */
  branch: z.string().nullable(),
  /** Tracked files that differed from the commit. */
  changed: z.int(),
  /** Files that git neither tracks nor ignores, by name from the root; the first {@link MOST_UNTRACKED}. */
  untracked: z.array(z.string()),
  /** How many there were. */
  untrackedCount: z.int(),
  /** Bytes of the diff against the commit, as far as it is kept. */
  diffBytes: z.int(),
  /** True: the diff was longer than what is kept of it. */
  diffCut: z.boolean(),
  /** Why git could not be asked, and all else is therefore empty; null: it answered. */
  trouble: z.string().nullable(),
  atMs: z.number(),
});
export type CodeRecord = z.output<typeof codeRecordSchema>;

const files = (n: number, what: string): string => `${n} ${n === 1 ? 'file' : 'files'} ${what}`;

/** The record in a line: `3f2a1bc04d on main, 2 files changed, 1 file untracked`. */
export function codeText({ commit, branch, changed, untrackedCount, diffCut, trouble }: CodeRecord): string {
  if (trouble !== null) return `not recorded: ${trouble}`;
  const head = commit === null ? 'no commit yet' : commit.slice(0, 10);
  const parts = [
    `${head}${branch === null ? ', no branch' : ` on ${branch}`}`,
    changed === 0 ? 'nothing changed' : `${files(changed, 'changed')}${diffCut ? ' (diff cut)' : ''}`,
    ...(untrackedCount === 0 ? [] : [files(untrackedCount, 'untracked')]),
  ];
  return parts.join(', ');
}
