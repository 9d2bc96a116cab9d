import SqliteDatabase from 'better-sqlite3';
import { UnavailableError } from '../domain/errors.ts';

/**
 * Makes sure that one engine at most works on a home. The lock is the kernel's, on an open file, so it is gone
 * the moment that its holder is, however it ended; no pid has to be believed.
 * @returns a function that releases it.
 * @throws {UnavailableError} when another engine holds it.
 */
export function lockHome(path: string, home: string): () => void {
  const db = new SqliteDatabase(path, { timeout: 0 });
  try {
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    throw new UnavailableError(
      `a Stint engine is already running on ${home}`,
      'use that one (stint status), end it first, or choose another directory with --data',
    );
  }
  return () => db.close();
}
