import {
  appendFileSync,
  closeSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { outputPathOf } from '../../domain/outputPath.ts';
import { makeDirectory } from '../makeDirectory.ts';
import type { RunDirectory } from './runDirectory.ts';

/**
 * Puts a launch's log also where its job wants it: as another name of the same file, or on another file system as a
 * symbolic link. What an earlier attempt, or anybody, left there as a file is replaced; anything else, such as
 * /dev/null, stays what it is. Where this fails, the job runs all the same, and its log says why.
 */
export function linkOutput(job: Job, run: RunDirectory): void {
  if (job.outputPath === null) return;
  const path = outputPathOf({ ...job, outputPath: job.outputPath }, hostname());
  closeSync(openSync(run.logPath, 'a', 0o600));
  try {
    if (!replaceable(path)) return;
    makeDirectory(dirname(path));
    const beside = `${path}.stint-${job.id}`;
    rmSync(beside, { force: true });
    try {
      linkSync(run.logPath, beside);
    } catch {
      symlinkSync(run.logPath, beside);
    }
    renameSync(beside, path);
  } catch (error) {
    appendFileSync(run.logPath, `stint: the output cannot be put at ${path}: ${messageOf(error)}\n`);
  }
}

function replaceable(path: string): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new Error('a directory is there');
  return there === undefined || there.isFile() || there.isSymbolicLink();
}
