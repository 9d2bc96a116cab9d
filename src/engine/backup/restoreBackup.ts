import { createWriteStream, existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, rename, rm, rmdir, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import SqliteDatabase from 'better-sqlite3';
import { ConflictError, UnavailableError } from '../../domain/errors.ts';
import { bootId } from '../jobs/processes.ts';
import { makeDirectory } from '../makeDirectory.ts';
import { SCHEMA_VERSION } from '../store/database.ts';
import { type BackupEntry, type BackupHead, readBackup } from './backupFormat.ts';

/**
 * Makes a home of a backup. Everything is put beside it, checked, and then moved into place at once: a home is there whole or
 * as it was, whenever this is cut off.
 * @throws {ConflictError} where there is a home already, or jobs of it still run. @throws {UnavailableError} for a file that
 * is no good, or of a newer Stint.
 */
export async function restoreBackup(file: string, home: string): Promise<BackupHead> {
  if (existsSync(home) && readdirSync(home).length > 0) {
    throw new ConflictError(
      `${home} is not empty`,
      'move it away, or restore into another directory with --data',
    );
  }
  let head: BackupHead | null = null;
  // First to its end: before that nobody knows whether it is whole.
  await readBackup(file, {
    head(found) {
      head = found;
      checkVersion(file, found);
      checkNothingRuns(found);
    },
    entry: async () => undefined,
  });
  const beside = `${home}.restoring`;
  await rm(beside, { recursive: true, force: true });
  makeDirectory(beside, 0o700);
  try {
    await unpack(file, beside);
    checkDatabase(file, join(beside, 'stint.db'));
    if (existsSync(home)) await rmdir(home);
    else makeDirectory(dirname(home));
    await rename(beside, home);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
  return head!;
}

function checkVersion(file: string, { schema, version }: BackupHead): void {
  if (schema <= SCHEMA_VERSION) return;
  throw new UnavailableError(
    `${file} cannot be restored: it is of a newer Stint (${version}, schema ${schema}; this one knows ${SCHEMA_VERSION})`,
    'update Stint, and restore it then; nothing was changed',
  );
}

/** Two engines would take charge of the same processes. */
function checkNothingRuns({ bootId: then, live, home }: BackupHead): void {
  if (live.length === 0 || then !== bootId()) return;
  throw new ConflictError(
    `jobs ${live.join(', ')} ran when it was made, on this machine, which was not started anew since`,
    `let them end, or cancel them, and make another backup of ${home}`,
  );
}

async function unpack(file: string, into: string): Promise<void> {
  const links: Extract<BackupEntry, { type: 'link' }>[] = [];
  const folders: Extract<BackupEntry, { type: 'directory' }>[] = [];
  await readBackup(file, {
    head: () => undefined,
    async entry(entry, bytes) {
      const path = join(into, entry.path);
      if (entry.type === 'link') links.push(entry);
      else if (entry.type === 'directory') {
        folders.push(entry);
        await mkdir(path, { mode: 0o700 });
      } else {
        await pipeline(bytes, createWriteStream(path, { flags: 'wx', mode: entry.mode, flush: true }));
        await chmod(path, entry.mode);
        // When an exit code was written is when the job ended.
        await utimes(path, entry.mtimeMs / 1000, entry.mtimeMs / 1000);
      }
    },
  });
  // Last, so that nothing is ever written through one.
  for (const { path, to } of links) await symlink(to, join(into, path));
  for (const { path, mode } of folders.reverse()) await chmod(join(into, path), mode);
}

function checkDatabase(file: string, path: string): void {
  const db = new SqliteDatabase(path, { readonly: true, fileMustExist: true });
  try {
    const check = db.pragma('integrity_check(1)', { simple: true });
    if (check !== 'ok') {
      throw new UnavailableError(
        `the database in ${file} is damaged (${check})`,
        'take another backup; nothing was changed',
      );
    }
  } finally {
    db.close();
  }
}
