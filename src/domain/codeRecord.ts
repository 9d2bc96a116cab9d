import { z } from 'zod';

/** Bytes of a diff that are kept. */
export const MOST_DIFF_BYTES = 512 * 1024;
/** Names of untracked files that are kept. */
export const MOST_UNTRACKED = 1000;

/** What git said of a job's directory right after its submission, at `atMs`. Secrets are left out. */
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
