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
