import { accessSync, chmodSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { dataHome } from '../contract/dataHome.ts';
import { FieldError, messageOf } from '../domain/errors.ts';
import { makeDirectory } from './makeDirectory.ts';

/**
 * The directory in which this machine's Stint lives: the flag, else `$STINT_HOME`, else the platform's data
 * directory. A relative flag is taken from the current directory.
 * @throws {FieldError} if `$STINT_HOME` is relative: it would mean another place for every caller.
 */
export function resolveHome(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (flag !== undefined) {
    if (flag === '') throw new FieldError('--data', flag, 'give a directory');
    return resolve(flag);
  }
  return dataHome({ env, platform, userHome: homedir() });
}

/**
 * Makes the directory if need be, readable by its owner alone: it holds commands, environments and output.
 * @throws {FieldError} naming the path when it cannot be used.
 */
export function prepareHome(home: string): void {
  try {
    makeDirectory(home, 0o700);
    const stat = statSync(home);
    if (!stat.isDirectory()) throw new FieldError('data directory', home, 'it is a file; choose a directory');
    if ((stat.mode & 0o077) !== 0) chmodSync(home, 0o700);
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof FieldError) throw error;
    throw new FieldError('data directory', home, `choose one that you may write to (${messageOf(error)})`);
  }
}

/** Files and folders inside a home. */
export const homePaths = (home: string) => ({
  database: join(home, 'stint.db'),
  lock: join(home, 'engine.lock'),
  socket: join(home, 'stint.sock'),
  /** Of jobs: see {@link SecretVault}. */
  secrets: join(home, 'secrets'),
  runs: join(home, 'jobs'),
  /** Copies of code that jobs run from: see {@link Snapshots}. */
  snapshots: join(home, 'snapshots'),
  notify: join(home, 'notify'),
  /** One folder a launch, see {@link runDirectory}. */
  run: (jobId: number, attempt: number): string => join(home, 'jobs', String(jobId), String(attempt)),
});
