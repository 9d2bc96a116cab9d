import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from './makeDirectory.ts';

/** What a file is called until it is whole: its own name and this. */
export const UNFINISHED = '.tmp';

/**
 * Writes a file that only its owner may read, in a directory that is made when it is needed. It is there whole or not at
 * all, and on disk when this returns.
 */
export function writePrivateFile(path: string, text: string): void {
  makeDirectory(dirname(path), 0o700);
  const beside = `${path}${UNFINISHED}`;
  rmSync(beside, { force: true });
  const file = openSync(beside, 'wx', 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
}

/** Names in a directory; none where it was not made yet. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
