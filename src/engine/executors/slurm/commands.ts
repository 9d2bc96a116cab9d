import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { ExecutorConfig } from '../../../domain/executor.ts';

/** More than this no command of Slurm has to say of one user's jobs. */
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;
const LONGEST_MESSAGE = 300;

export type SlurmCommand = 'sbatch' | 'squeue' | 'scontrol' | 'scancel' | 'sacct' | 'sinfo';

/**
 * A command of Slurm did not do what it was asked. `refused`: Slurm said no, and nothing was changed. `missing`: the command is
 * not there, and nothing was asked. `unknown`: nobody knows what came of it.
 */
export class SlurmError extends Error {
  override readonly name = 'SlurmError';
  readonly outcome: 'refused' | 'missing' | 'unknown';

  constructor(message: string, outcome: SlurmError['outcome']) {
    super(message);
    this.outcome = outcome;
  }
}

/** What Slurm says while it, or the way to it, is not working: it is tried again. */
const OUTAGE =
  /unable to contact|timed? ?out|connection|zero bytes|communication|authentication|munge|try again|standby|temporarily|not responding|cannot stat file|unable to process configuration|could not resolve|slurmctld|no such file or directory: slurm|shutting down|in power save|backup controller/i;

/** The commands of one Slurm, each with a time limit, none through a shell. */
export class SlurmCommands {
  readonly #config: () => Pick<ExecutorConfig, 'bin' | 'conf' | 'timeoutS'>;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #abort = new AbortController();

  /** @param env of which the commands see no more than they need: what else is in there must reach no job's record. */
  constructor(
    config: () => Pick<ExecutorConfig, 'bin' | 'conf' | 'timeoutS'>,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.#config = config;
    this.#env = env;
  }

  /**
   * @returns what it printed.
   * @throws {SlurmError} with what it said, in a line.
   */
  run(command: SlurmCommand, args: readonly string[], input?: string): Promise<string> {
    const { bin, timeoutS } = this.#config();
    const program = bin === null ? command : join(bin, command);
    return new Promise((resolve, reject) => {
      const child = execFile(
        program,
        [...args],
        {
          cwd: '/',
          env: this.#surroundings(),
          timeout: timeoutS * 1000,
          killSignal: 'SIGKILL',
          maxBuffer: MOST_OUTPUT_BYTES,
          signal: this.#abort.signal,
        },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(this.#errorOf(program, error, stderr));
        },
      );
      // One that ended early reads no more; how it ended is told above.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input ?? '');
    });
  }

  /** Ends what is under way; nobody will know what came of it. */
  stop(): void {
    this.#abort.abort();
  }

  #surroundings(): Record<string, string> {
    const { conf } = this.#config();
    const env: Record<string, string> = { LC_ALL: 'C', SLURM_TIME_FORMAT: '%s' };
    for (const name of ['PATH', 'HOME', 'USER', 'LOGNAME', 'SLURM_CONF', 'SLURM_CONF_SERVER', 'KRB5CCNAME']) {
      const value = this.#env[name];
      if (value !== undefined) env[name] = value;
    }
    return conf === null ? env : { ...env, SLURM_CONF: conf };
  }

  #errorOf(program: string, error: Error, stderr: string): SlurmError {
    const { code, killed } = error as NodeJS.ErrnoException & { killed?: boolean };
    if ((code as string) === 'ENOENT' || (code as string) === 'EACCES')
      return new SlurmError(`${program} cannot be run (${code})`, 'missing');
    const said = saidIn(stderr);
    if (killed) {
      const after = `${program} did not answer within ${this.#config().timeoutS} s`;
      return new SlurmError(said === '' ? after : `${after}: ${said}`, 'unknown');
    }
    if (said === '') return new SlurmError(`${program} failed without a word (${code})`, 'unknown');
    return new SlurmError(said, OUTAGE.test(stderr) ? 'unknown' : 'refused');
  }
}

/** The last thing that it said, without its own name. */
function saidIn(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) =>
      line
        .replace(/^\w+: (?:error: |fatal: )?/, '')
        .replaceAll(/\p{Cc}/gu, ' ')
        .trim(),
    )
    .filter((line) => line !== '' && !line.startsWith('Try "'));
  const text = (lines.at(-1) ?? '').replace(/^Batch job submission failed: /, '');
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE - 1)}…` : text;
}
