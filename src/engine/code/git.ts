import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface GitAnswer {
  readonly bytes: Buffer;
  /** True: it had more to say than was wanted. */
  readonly cut: boolean;
}

/** git could not be asked; the message says why, for people. */
export class GitError extends Error {
  override readonly name = 'GitError';
}

/**
 * What a repository says of itself must not start anything that it names (a file-system monitor, hooks, drivers for
 * differences), nor wait for anybody, nor change its index.
 */
const QUIETLY = [
  '--no-optional-locks',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.quotePath=false',
];

/**
 * Asks git about a work tree.
 * @param mostBytes of its answer; it is ended once it has said so much.
 * @param signal ends it, and all that it started.
 * @throws {GitError}
 */
export async function askGit(
  root: string,
  args: readonly string[],
  mostBytes: number,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<GitAnswer> {
  const { PATH, HOME, XDG_CONFIG_HOME } = env;
  const child = spawn('git', ['-C', root, ...QUIETLY, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it started ends with it.
    detached: true,
    env: {
      PATH,
      HOME,
      ...(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME }),
      LC_ALL: 'C.UTF-8',
      GIT_TERMINAL_PROMPT: '0',
      GIT_OPTIONAL_LOCKS: '0',
    },
  });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  const pieces: Buffer[] = [];
  let size = 0;
  let said = '';
  child.stdout.on('data', (piece: Buffer) => {
    if (size > mostBytes) return;
    pieces.push(piece);
    size += piece.length;
    if (size > mostBytes) end();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 1000);
  });
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) =>
        reject(new GitError(error.code === 'ENOENT' ? 'git is not installed' : error.message)),
      );
      child.on('close', resolve);
    });
    const cut = size > mostBytes;
    if (signal.aborted) throw new GitError('git took too long');
    if (code !== 0 && !cut) throw new GitError(said.split('\n')[0] || `git ended with code ${code}`);
    return { bytes: Buffer.concat(pieces).subarray(0, mostBytes), cut };
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** The innermost git work tree that a directory is in; null: it is in none, or cannot be looked at. */
export async function workTreeOf(directory: string): Promise<string | null> {
  for (let at = directory; ; at = dirname(at)) {
    try {
      await stat(join(at, '.git'));
      return at;
    } catch {
      // Not here; that the directory itself is missing is found out where it matters.
    }
    if (dirname(at) === at) return null;
  }
}
