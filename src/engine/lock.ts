import SqliteDatabase from 'better-sqlite3';
import { messageOf, UnavailableError } from '../domain/errors.ts';
import { storageTrouble } from './store/storageTrouble.ts';

/**
 * Makes sure that one engine at most works on a home. The lock is the kernel's, on an open file, so it is gone
 * the moment that its holder is, however it ended; no pid has to be believed.
 * @returns a function that releases it.
 * @throws {UnavailableError} when another engine holds it.
 */
export function lockHome(path: string, home: string): () => void {
  let db: SqliteDatabase.Database | undefined;
  try {
    db = new SqliteDatabase(path, { timeout: 0 });
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') {
      throw (
        storageTrouble(error, `${home} cannot be used: `) ??
        new UnavailableError(
          `the lock ${path} cannot be taken (${messageOf(error)})`,
          'remove that file while no engine runs, and try again',
        )
      );
    }
    throw new UnavailableError(
      `a Stint engine is already running on ${home}`,
      'use that one (stint status), end it first, or choose another directory with --data',
    );
  }
  const held = db;
  return () => held.close();
}
