import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const MAIN = join(resolve(import.meta.dirname, '../..'), 'src/cli/main.ts');

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

/** The command line against the engine of a data directory, each call in a process of its own. */
export const commandLineOf =
  (home: () => string) =>
  (...args: string[]): Promise<Ran> =>
    run(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
      ...process.env,
      STINT_HOME: home(),
    });
