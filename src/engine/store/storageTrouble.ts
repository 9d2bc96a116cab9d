import { UnavailableError } from '../../domain/errors.ts';

/** What ails the disk, by the code that SQLite or the system gives for it, with what to do. */
const TROUBLES: readonly (readonly [codes: RegExp, problem: string, remedy: string])[] = [
  [
    /^(SQLITE_FULL|ENOSPC|EDQUOT)$/,
    'the disk with the data directory is full',
    'nothing was changed: make room on it and try again',
  ],
  [
    /^(SQLITE_READONLY|EROFS)/,
    'the data directory cannot be written',
    'nothing was changed: make it writable (its disk may have been mounted read-only after an error) and try again',
  ],
  [
    /^(SQLITE_IOERR|SQLITE_CANTOPEN|EIO$)/,
    'the data directory cannot be read or written',
    'look at the disk (dmesg) and at the permissions of the files, and try again',
  ],
  [
    /^SQLITE_(BUSY|LOCKED)/,
    'another program holds the database',
    'nothing was changed: end that program (a database browser, a backup) and try again',
  ],
];

/**
 * The disk's trouble behind an error, for people; null when it is none.
 * @param subject what cannot be used because of it, as the beginning of the sentence.
 */
export function storageTrouble(error: unknown, subject = ''): UnavailableError | null {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  if (typeof code !== 'string') return null;
  const found = TROUBLES.find(([codes]) => codes.test(code));
  return found ? new UnavailableError(`${subject}${found[1]}`, found[2]) : null;
}
