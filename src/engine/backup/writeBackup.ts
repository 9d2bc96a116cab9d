import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { lstat, open, readdir, readlink, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import SqliteDatabase from 'better-sqlite3';
import { FieldError, UnavailableError } from '../../domain/errors.ts';
import { homePaths } from '../home.ts';
import { bootId } from '../jobs/processes.ts';
import { VERSION } from '../version.ts';
import { BACKUP_FORMAT, type BackupEntry, type BackupHead, backupBytes, readBackup } from './backupFormat.ts';

/** What a running engine has there that means nothing later; the database comes as a copy of one moment. */
const LEFT_OUT = /^(engine\.lock|stint\.sock|socket|console\.json|stint\.db.*)$/;

export interface Written {
  readonly jobs: number;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Writes all that is in a home into one file, and reads that again to its end. An engine may run meanwhile: the database
 * is as it was at one moment, and of what jobs write there is as much as there was then.
 * @param checkpoints false: what jobs go on from is left out; it may be large.
 * @throws {FieldError} {UnavailableError}; the file is there whole or not at all.
 */
export async function writeBackup(
  home: string,
  file: string,
  { checkpoints }: { readonly checkpoints: boolean },
): Promise<Written> {
  if (existsSync(file)) throw new FieldError('FILE', file, 'name a file that is not there yet');
  if (!relative(home, resolve(file)).startsWith('..')) {
    throw new FieldError('FILE', file, 'put it somewhere else than into the data directory');
  }
  if (!existsSync(homePaths(home).database)) {
    throw new UnavailableError(
      `there is nothing to back up in ${home}`,
      'name the data directory with --data',
    );
  }
  // Whatever is written next to the backup is as secret as it is.
  const umask = process.umask(0o077);
  const [copy, beside] = [`${file}.database`, `${file}.partial`];
  try {
    const { head, attempts } = snapshot(home, copy);
    const entries = contents(home, copy, attempts, checkpoints);
    await pipeline(
      Readable.from(backupBytes(head, entries)),
      createGzip({ level: 3 }),
      createWriteStream(beside, { mode: 0o600 }),
    );
    await synced(beside);
    const files = await readBackup(beside, { head: () => undefined, entry: async () => undefined });
    await rename(beside, file);
    await synced(dirname(resolve(file)));
    return { jobs: head.jobs, files, bytes: (await lstat(file)).size };
  } finally {
    process.umask(umask);
    await rm(copy, { force: true });
    await rm(beside, { force: true });
  }
}

/** The database as it is now, and what it says of jobs. */
function snapshot(home: string, copy: string): { head: BackupHead; attempts: ReadonlyMap<string, number> } {
  const db = new SqliteDatabase(homePaths(home).database, { timeout: 10_000, fileMustExist: true });
  try {
    db.prepare('VACUUM INTO ?').run(copy);
  } finally {
    db.close();
  }
  const taken = new SqliteDatabase(copy, { readonly: true });
  try {
    const rows = taken
      .prepare<[], { id: number; status: string; attempt: number }>(
        "SELECT id, status, json_extract(body, '$.attempt') AS attempt FROM jobs",
      )
      .all();
    const live = rows.filter(({ status }) => LIVE.has(status)).map(({ id }) => id);
    return {
      head: {
        stint: 'backup',
        format: BACKUP_FORMAT,
        version: VERSION,
        schema: taken.pragma('user_version', { simple: true }) as number,
        createdAtMs: Date.now(),
        host: hostname(),
        home,
        bootId: bootId(),
        jobs: rows.length,
        live,
      },
      attempts: new Map(rows.map(({ id, attempt }) => [String(id), attempt])),
    };
  } finally {
    taken.close();
  }
}
const LIVE: ReadonlySet<string> = new Set(['starting', 'running', 'paused', 'stopping']);

async function* contents(
  home: string,
  copy: string,
  attempts: ReadonlyMap<string, number>,
  checkpoints: boolean,
): AsyncGenerator<{ entry: BackupEntry; bytes: AsyncIterable<Buffer> | null }> {
  yield await fileEntry(copy, 'stint.db');
  for await (const path of walk(home, '')) {
    const [top, id, attempt] = path.split(sep);
    if (top === 'jobs' && id !== undefined) {
      const known = attempts.get(id);
      // Launched after the copy of the database: its folder would keep that launch from ever happening.
      if (known === undefined || Number(attempt) > known) continue;
      if (attempt === 'checkpoint' && !checkpoints) continue;
    }
    try {
      const full = join(home, path);
      const stat = await lstat(full);
      const common = { path: path.split(sep).join('/'), mode: stat.mode & 0o777 };
      if (stat.isDirectory()) yield { entry: { ...common, type: 'directory' }, bytes: null };
      else if (stat.isSymbolicLink())
        yield { entry: { ...common, type: 'link', to: await readlink(full) }, bytes: null };
      else if (stat.isFile()) yield await fileEntry(full, common.path);
    } catch (error) {
      // Gone meanwhile, as the temporary files of an engine are.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Folders before what is in them; links are not followed. */
async function* walk(home: string, below: string): AsyncGenerator<string> {
  const found = await readdir(join(home, below), { withFileTypes: true });
  for (const one of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (below === '' && LEFT_OUT.test(one.name)) continue;
    const path = join(below, one.name);
    yield path;
    if (one.isDirectory()) yield* walk(home, path);
  }
}

async function fileEntry(
  full: string,
  path: string,
): Promise<{ entry: BackupEntry; bytes: AsyncIterable<Buffer> }> {
  const { size, mode, mtimeMs } = await lstat(full);
  return { entry: { type: 'file', path, mode: mode & 0o777, size, mtimeMs }, bytes: exactly(full, size) };
}

/** So many bytes of a file that may be growing; zeros where it has shrunk. */
async function* exactly(full: string, size: number): AsyncGenerator<Buffer> {
  let left = size;
  if (size > 0) {
    for await (const piece of createReadStream(full, { end: size - 1 }) as AsyncIterable<Buffer>) {
      left -= piece.length;
      yield piece;
    }
  }
  for (; left > 0; left -= Math.min(left, 65_536)) yield Buffer.alloc(Math.min(left, 65_536));
}

async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
