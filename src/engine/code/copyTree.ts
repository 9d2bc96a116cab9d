import { constants, type Stats } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, readlink, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConflictError } from '../../domain/errors.ts';
import { askGit } from './git.ts';

/** A file as it was copied: by this it is known again when the copy is removed. */
export interface CopiedFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** What a directory holds that is code, by path from it. */
export interface Listing {
  readonly files: readonly { readonly path: string; readonly stat: Stats }[];
  /** What git ignores: data, environments, results. */
  readonly ignored: readonly string[];
  readonly bytes: number;
}

export const MOST_FILES = 50_000;
export const MOST_BYTES = 2 * 1024 ** 3;
const MOST_LISTING_BYTES = 64 * 1024 * 1024;
/** Made from code, and wrong beside another copy of it. */
const CACHES = /^(__pycache__|\.pytest_cache|\.mypy_cache|\.ruff_cache)$|\.pyc$/;
const AT_ONCE = 8;

/** @returns null: it is more than a copy may be. */
export async function listTree(
  root: string,
  isWorkTree: boolean,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  most = { files: MOST_FILES, bytes: MOST_BYTES },
): Promise<Listing | null> {
  const files: { path: string; stat: Stats }[] = [];
  const ignored: string[] = [];
  let bytes = 0;
  const add = (path: string, stat: Stats): boolean => {
    files.push({ path, stat });
    bytes += stat.size;
    return files.length <= most.files && bytes <= most.bytes;
  };
  const walk = async (folder: string): Promise<boolean> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      signal.throwIfAborted();
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!(await walk(path))) return false;
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        if (!add(path, await lstat(join(root, path)))) return false;
      }
    }
    return true;
  };
  if (!isWorkTree) return (await walk('')) ? { files, ignored, bytes } : null;
  const names = async (...args: string[]): Promise<string[] | null> => {
    const { bytes: said, cut } = await askGit(
      root,
      ['ls-files', '-z', ...args],
      MOST_LISTING_BYTES,
      env,
      signal,
    );
    return cut ? null : said.toString('utf8').split('\0').filter(Boolean);
  };
  const kept = await names('--cached', '--others', '--exclude-standard', '--deduplicate');
  const left = await names('--others', '--ignored', '--exclude-standard', '--directory');
  if (kept === null || left === null) return null;
  for (const path of kept) {
    const stat = await lstat(join(root, path)).catch(() => null);
    // What was deleted is not part of the code as it is now; a repository within is, all of it.
    if (stat === null) continue;
    if (stat.isDirectory()) {
      if (!(await walk(path))) return null;
    } else if ((stat.isFile() || stat.isSymbolicLink()) && !add(path, stat)) return null;
  }
  // A directory with nothing but what is ignored is listed, and what is ignored in it once more, after it.
  let whole: string | null = null;
  for (const path of left) {
    if (whole !== null && path.startsWith(whole)) continue;
    if (path.endsWith('/')) whole = path;
    const plain = path.replace(/\/$/, '');
    if (!CACHES.test(basename(plain))) ignored.push(plain);
  }
  return { files, ignored, bytes };
}

/**
 * Copies what is listed, sharing blocks where the file system can, and puts links in the place of what is ignored.
 * @throws {ConflictError} if a file is being changed meanwhile.
 */
export async function copyTree(from: string, to: string, listing: Listing): Promise<CopiedFile[]> {
  const copied: CopiedFile[] = [];
  const folders = new Set(
    [...listing.files.map(({ path }) => path), ...listing.ignored].map((path) => dirname(path)),
  );
  for (const folder of folders) await mkdir(join(to, folder), { recursive: true });
  const waiting = listing.files.values();
  const work = async (): Promise<void> => {
    for (const { path, stat } of waiting) {
      if (stat.isSymbolicLink()) await symlink(await readlink(join(from, path)), join(to, path));
      else await copyOne(join(from, path), join(to, path), stat);
      const { size, mtimeMs } = await lstat(join(to, path));
      copied.push({ path, size, mtimeMs });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const path of listing.ignored) {
    await symlink(join(from, path), join(to, path));
    const { size, mtimeMs } = await lstat(join(to, path));
    copied.push({ path, size, mtimeMs });
  }
  return copied;
}

async function copyOne(from: string, to: string, before: Stats): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  const after = await lstat(from).catch(() => null);
  if (after === null || after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
    throw new ConflictError(`${from} changed while it was copied`, 'submit again once nothing writes there');
  }
  // What was compiled from it is recognised by this.
  await utimes(to, before.atime, before.mtime);
}
