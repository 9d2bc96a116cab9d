import { type Dirent, type Stats, statfsSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breath } from 'node:timers/promises';

/** What a job left in the data directory. */
export interface JobFolder {
  /** As the folder is called: a job's number, unless somebody else put it there. */
  readonly name: string;
  readonly path: string;
  readonly attempts: readonly { readonly attempt: number; readonly path: string; readonly bytes: number }[];
  readonly checkpointBytes: number;
  /** What is neither: half-removed checkpoints, for one. */
  readonly strange: readonly { readonly path: string; readonly bytes: number }[];
}

const BLOCK_BYTES = 512;
/** After so many jobs everything else has its turn. */
const AT_ONCE = 50;

/** The folders of jobs, one by one: there may be very many. */
export async function* jobFolders(runs: string): AsyncGenerator<JobFolder> {
  let seen = 0;
  for (const entry of await entriesOf(runs)) {
    const path = join(runs, entry.name);
    const attempts: { attempt: number; path: string; bytes: number }[] = [];
    const strange: { path: string; bytes: number }[] = [];
    let checkpointBytes = 0;
    for (const inner of entry.isDirectory() ? await entriesOf(path) : []) {
      const at = join(path, inner.name);
      const bytes = await bytesOf(at);
      if (/^[1-9]\d*$/.test(inner.name)) attempts.push({ attempt: Number(inner.name), path: at, bytes });
      else if (inner.name === 'checkpoint') checkpointBytes = await contentsOf(at);
      else strange.push({ path: at, bytes });
    }
    yield { name: entry.name, path, attempts, checkpointBytes, strange };
    if (++seen % AT_ONCE === 0) await breath();
  }
}

/** What a file, or a folder with all that is in it, takes of the disk; 0: it is not there. Links are not followed. */
export async function bytesOf(path: string): Promise<number> {
  const stat = await statOf(path);
  if (stat === null) return 0;
  const own = stat.blocks * BLOCK_BYTES;
  return stat.isDirectory() ? own + (await contentsOf(path)) : own;
}

/** What is in a folder; the folder itself is always there. */
async function contentsOf(path: string): Promise<number> {
  let bytes = 0;
  for (const { name } of await entriesOf(path)) bytes += await bytesOf(join(path, name));
  return bytes;
}

/** Of the disk that a path is on, bytes. */
export function diskOf(path: string): { free: number; total: number } {
  const { bavail, blocks, bsize } = statfsSync(path);
  return { free: bavail * bsize, total: blocks * bsize };
}

/** By number where they are numbers. */
export async function entriesOf(path: string): Promise<Dirent[]> {
  const entries = await absent(readdir(path, { withFileTypes: true }), []);
  return entries.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

export const statOf = (path: string): Promise<Stats | null> => absent<Stats | null>(lstat(path), null);

/** What went away while it was looked at takes nothing. */
async function absent<T>(looked: Promise<T>, nothing: T): Promise<T> {
  try {
    return await looked;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return nothing;
    throw error;
  }
}
