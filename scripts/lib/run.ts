import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Tools of the project are found before the machine's own. */
export const TOOL_ENV: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
};

/** Runs a command in the project's root with this terminal. @returns its exit status, 128 for a signal. */
export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = TOOL_ENV,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 128));
  });
}

/** Runs a command in the project's root, and gives what it printed with its exit status (128 for a signal). */
export function runQuietly(
  command: string,
  args: readonly string[],
): Promise<{ readonly status: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: TOOL_ENV });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (piece: string) => {
        output += piece;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ status: code ?? 128, output }));
  });
}
