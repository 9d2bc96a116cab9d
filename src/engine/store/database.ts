import { existsSync, statSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { messageOf, UnavailableError } from '../../domain/errors.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { storageTrouble } from './storageTrouble.ts';

export type Database = SqliteDatabase.Database;

/** 'STNT': tells our files from others'. */
const APPLICATION_ID = 0x53544e54;
/** Up to this size a database is checked whole at each start (about 0.1 s); beyond, only its structure. */
const FULL_CHECK_BYTES = 64 * 1024 * 1024;

/**
 * Opens the database of a home and brings it up to date, in one transaction.
 * @throws {UnavailableError} with the path and the remedy when the file is damaged, another program's, or of a
 * newer Stint. It is left as it was.
 */
export function openDatabase(path: string): Database {
  const isNew = !existsSync(path) || statSync(path).size === 0;
  let db: Database;
  try {
    db = new SqliteDatabase(path, { timeout: 5000 });
  } catch (error) {
    throw unusable(path, messageOf(error), 'check that you may read and write it');
  }
  try {
    if (!isNew) verify(db, path);
    db.pragma('journal_mode = WAL');
    // A crash of the engine loses nothing; a power cut may lose the last moments, in which the jobs died too.
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
    db.pragma('busy_timeout = 5000');
    db.pragma('cache_size = -8000');
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw refusal(error, path);
  }
}

/** The schema version of this Stint. */
export const SCHEMA_VERSION = MIGRATIONS.length;

function verify(db: Database, path: string): void {
  const read = <T>(pragma: string): T => db.pragma(pragma, { simple: true }) as T;
  let version: number;
  let applicationId: number;
  let objects: number;
  try {
    version = read<number>('user_version');
    applicationId = read<number>('application_id');
    objects = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
    const check = statSync(path).size <= FULL_CHECK_BYTES ? read<string>('quick_check(1)') : 'ok';
    if (check !== 'ok') throw new Error(check);
  } catch (error) {
    throw refusal(error, path);
  }
  // The first start was killed before its first migration: the file is nobody's yet.
  if (applicationId === 0 && version === 0 && objects === 0) return;
  if (applicationId !== APPLICATION_ID) {
    throw unusable(
      path,
      'it belongs to another program',
      'move it away, or choose another directory with --data',
    );
  }
  if (version > SCHEMA_VERSION) {
    throw unusable(
      path,
      `it was written by a newer Stint (schema ${version}, this one knows ${SCHEMA_VERSION})`,
      'update Stint, or choose another directory with --data',
    );
  }
}

function migrate(db: Database): void {
  const from = db.pragma('user_version', { simple: true }) as number;
  if (from === SCHEMA_VERSION) return;
  db.transaction(() => {
    for (const migration of MIGRATIONS.slice(from)) db.exec(migration);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).exclusive();
}

/** A full disk or another program's lock says nothing against the file. */
function refusal(error: unknown, path: string): UnavailableError {
  if (error instanceof UnavailableError) return error;
  return storageTrouble(error, `the database ${path} cannot be used: `) ?? damaged(path, messageOf(error));
}

function damaged(path: string, detail: string): UnavailableError {
  return unusable(
    path,
    `it is damaged (${detail})`,
    `nothing was changed: restore it from a backup, or move it away together with its -wal and -shm files to start afresh (sqlite3 ${path} .recover may save its content)`,
  );
}

function unusable(path: string, problem: string, remedy: string): UnavailableError {
  return new UnavailableError(`the database ${path} cannot be used: ${problem}`, remedy);
}
