import { type CodeRecord, MOST_DIFF_BYTES, MOST_UNTRACKED } from '../../domain/codeRecord.ts';
import { askGit, GitError, workTreeOf } from './git.ts';

/** What git says of a directory, as it is: secrets in it are still there. */
export interface CodeReading {
  readonly record: Omit<CodeRecord, 'atMs' | 'diffBytes'>;
  readonly diff: string;
}

/** A list of files longer than this is no list that anybody reads. */
const MOST_STATUS_BYTES = 8 * 1024 * 1024;

const NOTHING = {
  commit: null,
  branch: null,
  changed: 0,
  untracked: [],
  untrackedCount: 0,
  diffCut: false,
} as const;

/**
 * Reads what a directory's code is: commit, branch, what differs from it. Never throws: what cannot be read is said in
 * the record.
 * @param timeoutMs for all of it.
 * @returns null: it is in no git work tree.
 */
export async function readCode(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<CodeReading | null> {
  const root = await workTreeOf(directory);
  if (root === null) return null;
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const status = await askGit(
      root,
      [
        'status',
        '--porcelain=v2',
        '--branch',
        '--untracked-files=all',
        '--ignore-submodules=untracked',
        '-z',
      ],
      MOST_STATUS_BYTES,
      env,
      until,
    );
    if (status.cut) throw new GitError('too many files differ from the commit');
    const { untracked, ...told } = readStatus(status.bytes.toString('utf8'));
    const diff =
      told.changed === 0
        ? { bytes: Buffer.alloc(0), cut: false }
        : await askGit(
            root,
            [
              'diff',
              '--no-ext-diff',
              '--no-textconv',
              '--no-color',
              // Before the first commit there is nothing to compare with but the index.
              ...(told.commit === null ? ['--cached'] : ['HEAD']),
              '--',
            ],
            MOST_DIFF_BYTES,
            env,
            until,
          );
    const text = diff.bytes.toString('utf8');
    return {
      record: {
        root,
        ...told,
        untracked: untracked.slice(0, MOST_UNTRACKED),
        untrackedCount: untracked.length,
        diffCut: diff.cut,
        trouble: null,
      },
      // A line that was cut in two tells nothing that can be applied.
      diff: diff.cut ? text.slice(0, text.lastIndexOf('\n') + 1) : text,
    };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return { record: { root, ...NOTHING, untracked: [], trouble: error.message }, diff: '' };
  }
}

/** What `git status --porcelain=v2 --branch -z` says. */
function readStatus(text: string): {
  commit: string | null;
  branch: string | null;
  changed: number;
  untracked: string[];
} {
  const told = { commit: null as string | null, branch: null as string | null, changed: 0 };
  const untracked: string[] = [];
  const entries = text.split('\0');
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at]!;
    const [oid, head] = [after(entry, '# branch.oid '), after(entry, '# branch.head ')];
    if (oid !== null) told.commit = oid === '(initial)' ? null : oid;
    else if (head !== null) told.branch = head === '(detached)' ? null : head;
    else if (entry.startsWith('? ')) untracked.push(entry.slice(2));
    else if (/^[12u] /.test(entry)) {
      told.changed += 1;
      // Of what was renamed, the old name follows.
      if (entry.startsWith('2 ')) at += 1;
    }
  }
  return { ...told, untracked };
}

const after = (text: string, prefix: string): string | null =>
  text.startsWith(prefix) ? text.slice(prefix.length) : null;
