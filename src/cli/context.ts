import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { dataHome } from '../contract/dataHome.ts';
import { FieldError } from '../domain/errors.ts';
import { CliError, STATUS } from './cliError.ts';
import type { Connection, Remote } from './connect.ts';
import { type AddressFlags, remoteOf } from './engineAddress.ts';

/** What a command may touch of the process it runs in. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory that the person is in. */
  readonly callerDir: string;
  /** Columns to fit tables into; Infinity when nobody looks at them. */
  readonly width: number;
  nowMs(): number;
  /** Writes a line of result. */
  out(line: string): void;
  /** Writes output as it is. */
  write(text: string): void;
  /** Writes a line for the person beside the result. */
  err(line: string): void;
  /** Sets the status that the process ends with. */
  exitWith(status: number): void;
}

/** The context of this process. */
export function processContext(): Context {
  const { stdout, stderr, env } = process;
  const columns = stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY;
  return {
    env,
    // Only asked for where it matters: the rest works from a directory that was removed meanwhile.
    get callerDir() {
      return callerDirectory(env, currentDirectory());
    },
    width: columns > 0 ? columns : 80,
    nowMs: () => Date.now(),
    out: (line) => void stdout.write(`${line}\n`),
    write: (text) => void stdout.write(text),
    err: (line) => void stderr.write(`stint: ${line}\n`),
    exitWith: (status) => {
      process.exitCode = status;
    },
  };
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    throw new CliError(
      STATUS.failed,
      'the directory that you are in no longer exists',
      'change to another one',
    );
  }
}

/**
 * The caller's directory. npm runs a package's scripts in the package and leaves where it was called in INIT_CWD.
 * Jobs inherit those variables from an engine that npm started, so they only count while we still are where npm
 * has put us.
 */
function callerDirectory(env: Context['env'], cwd: string): string {
  const packageFile = env.npm_package_json;
  const byNpm = env.npm_lifecycle_event === 'stint' && packageFile && dirname(packageFile) === cwd;
  if (byNpm && env.INIT_CWD) return env.INIT_CWD;
  // The path as the person knows it, where it is the same place (a link in it stays as it is).
  return env.PWD && sameDirectory(env.PWD, cwd) ? env.PWD : cwd;
}

function sameDirectory(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    // PWD names nothing that exists: it is of no use here.
    return false;
  }
}

/** The data directory: `--data` (from the caller's directory), else as everybody agrees. */
export function homeOf(context: Context, flag: string | undefined): string {
  if (flag === '') throw new FieldError('--data', flag, 'give a directory');
  if (flag !== undefined) return resolve(context.callerDir, flag);
  return dataHome({ env: context.env, platform: process.platform, userHome: homedir() });
}

/** Where the engine is: the data directory of one on this machine, or one elsewhere. */
export const engineOf = (context: Context, flags: AddressFlags): string | Remote =>
  remoteOf(context, flags) ?? homeOf(context, flags.data);

/**
 * Connects, runs `use`, and disconnects.
 * @param flags `agent`: on whose behalf, where it is not the person who calls.
 * @param use is also given the data directory; null: the engine is elsewhere.
 */
export async function withEngine<T>(
  context: Context,
  flags: AddressFlags & { readonly agent?: string },
  use: (client: Connection['client'], home: string | null) => Promise<T>,
): Promise<T> {
  const { connect } = await import('./connect.ts');
  const engine = engineOf(context, flags);
  const connection = await connect(engine, flags.agent);
  try {
    return await connection.during((client) => use(client, typeof engine === 'string' ? engine : null));
  } finally {
    connection.close();
  }
}
