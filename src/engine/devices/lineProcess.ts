import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { messageOf } from '../../domain/errors.ts';

export interface LineProcessOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** How the process is called in sentences for people, such as `nvidia-smi`. */
  readonly name: string;
  /** Longest wait for the first reading after a start, and for each one after that. Milliseconds; null: for ever. */
  readonly startDeadlineMs: number | null;
  readonly silenceDeadlineMs: number | null;
  /** Wait before the first restart; it doubles with every one that brings no reading, up to 30 s. */
  readonly firstBackoffMs?: number | undefined;
  /** Called with every start, also the first, before anything is read. */
  onStart?(): void;
  /** True when the line was a reading; what else it says is kept as the process's last words. */
  onLine(line: string): boolean;
  /** The process ended, was given up, or could not be started; `nextMs`: when the next is started. */
  onDown(down: Down, nextMs: number): void;
}

export interface Down {
  /** A clause for people: `nvidia-smi ended with status 9 (No devices were found)`. */
  readonly sentence: string;
  /** `ENOENT` and the like, where it could not be started. */
  readonly errorCode: string | null;
  readonly exitCode: number | null;
}

const FIRST_BACKOFF_MS = 1000;
const MOST_BACKOFF_MS = 30_000;
/** A killed process may stay in the kernel; past so many, wait for one of them to be gone before the next. */
const MOST_LINGERING = 3;
/** How long `stop` waits for a killed process to be gone before it leaves it to the kernel. */
const STOP_WAIT_MS = 2000;

/**
 * Keeps one process running that writes lines, and reads them. When it ends or falls silent it is killed,
 * never waited for (it may hang in the driver, out of reach of any signal), and another is started.
 */
export class LineProcess {
  readonly #options: LineProcessOptions;
  readonly #lingering = new Set<ChildProcess>();
  #child: ChildProcess | null = null;
  #watchdog: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #backoffMs: number;
  #lastWords = '';
  #stopped = false;

  constructor(options: LineProcessOptions) {
    this.#options = options;
    this.#backoffMs = options.firstBackoffMs ?? FIRST_BACKOFF_MS;
  }

  /** Id of the process that runs now; null between two. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    const { file, args, env, name, startDeadlineMs, silenceDeadlineMs } = this.#options;
    const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    this.#child = child;
    this.#lastWords = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = text.trim().split('\n').at(-1) ?? '';
    });
    // It ends when its input closes, which it also does when this process is gone.
    child.stdin.on('error', () => child.stdin.destroy());
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (this.#child !== child) return;
      if (!this.#options.onLine(line)) {
        this.#lastWords = line;
        return;
      }
      this.#lastWords = '';
      this.#backoffMs = this.#options.firstBackoffMs ?? FIRST_BACKOFF_MS;
      this.#watch(silenceDeadlineMs);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      this.#down(child, {
        sentence: `${name} could not be started (${messageOf(error)})`,
        errorCode: error.code ?? null,
        exitCode: null,
      });
    });
    child.on('exit', () => this.#lingering.delete(child));
    // `close` comes after the last line was read, `exit` may come before it.
    child.on('close', (code, signal) => {
      this.#down(child, {
        sentence: `${name} ended with ${signal ?? `status ${code}`}${this.#said()}`,
        errorCode: null,
        exitCode: code,
      });
    });
    this.#watch(startDeadlineMs);
    this.#options.onStart?.();
  }

  /** Writes a line to its input; lost when it is between two. */
  send(line: string): void {
    if (this.#child?.stdin?.writable) this.#child.stdin.write(`${line}\n`);
  }

  /** Closes its input, so that it ends when it has read all of it, and starts no other. */
  finish(): void {
    this.#stopped = true;
    clearTimeout(this.#restart);
    clearTimeout(this.#watchdog);
    const child = this.#child;
    this.#child = null;
    child?.stdin?.end();
    child?.unref();
  }

  /** Ends the process and every timer. Resolves when it is gone, or cannot be got rid of. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    clearTimeout(this.#watchdog);
    const child = this.#child;
    this.#child = null;
    if (child === null || child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
      return;
    let timer: NodeJS.Timeout | undefined;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    abandon(child);
    await Promise.race([
      gone,
      new Promise((resolve) => {
        timer = setTimeout(resolve, STOP_WAIT_MS);
      }),
    ]);
    clearTimeout(timer);
  }

  #watch(deadlineMs: number | null): void {
    clearTimeout(this.#watchdog);
    const child = this.#child;
    if (deadlineMs === null || child === null) return;
    const giveUp = (): void => {
      this.#lingering.add(child);
      abandon(child);
      this.#down(child, {
        sentence: `${this.#options.name} has not answered for ${Math.round(deadlineMs / 100) / 10} s${this.#said()}`,
        errorCode: null,
        exitCode: null,
      });
    };
    const watchdog = setTimeout(() => {
      // When it was this process that stood still (a sleeping laptop), what was said meanwhile is read first.
      setImmediate(() => {
        if (this.#watchdog === watchdog && this.#child === child) giveUp();
      });
    }, deadlineMs);
    this.#watchdog = watchdog;
  }

  #said(): string {
    return this.#lastWords ? ` (it said: ${this.#lastWords.slice(0, 200)})` : '';
  }

  #down(child: ChildProcess, down: Down): void {
    if (this.#child !== child || this.#stopped) return;
    this.#child = null;
    clearTimeout(this.#watchdog);
    const nextMs = this.#backoffMs;
    this.#backoffMs = Math.min(MOST_BACKOFF_MS, this.#backoffMs * 2);
    this.#scheduleRestart(nextMs);
    this.#options.onDown(down, nextMs);
  }

  #scheduleRestart(afterMs: number): void {
    this.#restart = setTimeout(() => {
      if (this.#lingering.size >= MOST_LINGERING) this.#scheduleRestart(MOST_BACKOFF_MS);
      else this.start();
    }, afterMs);
  }
}

/** Kills a process and lets go of it: neither it nor its pipes keep this one alive. */
function abandon(child: ChildProcess): void {
  child.kill('SIGKILL');
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
