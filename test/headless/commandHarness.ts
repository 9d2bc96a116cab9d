import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommandLine } from '../../src/cli/run.ts';

const MAIN = join(resolve(import.meta.dirname, '../..'), 'src/cli/main.js');

/** What a command printed, and its exit status. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd = tmpdir(),
): Promise<Ran> {
  const child = spawn(program, args, { cwd, env });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  return { status, stdout, stderr };
}

/** One call of the command line in a process of its own, as a shell would make it. */
export const commandProcess =
  (home: () => string, cwd?: () => string) =>
  (...args: string[]): Promise<Ran> =>
    run(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, ...args],
      { ...process.env, STINT_HOME: home() },
      cwd?.(),
    );

/**
 * The command line against the engine of a data directory, in this process: what a process of its own would add is its
 * start, half a second each time. Signals, pipes and the status that a shell sees are not what it can show.
 */
export const commandLineOf =
  (home: () => string, cwd: () => string = tmpdir) =>
  async (...args: string[]): Promise<Ran> => {
    let [stdout, stderr, status] = ['', '', 0];
    await runCommandLine(args, {
      env: { ...process.env, STINT_HOME: home() },
      callerDir: cwd(),
      width: Number.POSITIVE_INFINITY,
      nowMs: () => Date.now(),
      out: (line) => {
        stdout += `${line}\n`;
      },
      write: (text) => {
        stdout += text;
      },
      err: (line) => {
        stderr += `stint: ${line}\n`;
      },
      exitWith: (given) => {
        status = given;
      },
    });
    return { status, stdout, stderr };
  };
