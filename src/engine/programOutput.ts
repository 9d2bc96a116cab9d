import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a program prints, in plain English; null: it is not there, failed, or did not answer in time. */
export async function programOutput(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  timeoutMs: number,
): Promise<string | null> {
  try {
    const { stdout } = await run(program, [...args], {
      env: { ...env, LC_ALL: 'C', SYSTEMD_PAGER: '' },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    return stdout;
  } catch {
    return null;
  }
}
