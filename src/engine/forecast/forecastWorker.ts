import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../domain/errors.ts';
import type { ForecastMessage, ForecastTask } from './forecastMessages.ts';

const PROGRAM = fileURLToPath(new URL(`./forecastProcess${extname(import.meta.url)}`, import.meta.url));
const HEAP = '--max-old-space-size=256';
/** Nobody has asked for so long: the process is not worth its memory any more. */
const IDLE_MS = 60_000;

/** The process that plays futures: started by the first task, and ended when none has come for a minute. */
export class ForecastWorker {
  private child: ChildProcess | null = null;
  private idle: NodeJS.Timeout | null = null;
  private answer: ((message: ForecastMessage) => void) | null = null;
  private stopped = false;

  /** One task at a time. Never rejects: what went wrong is in the answer. */
  run(task: ForecastTask): Promise<ForecastMessage> {
    if (this.stopped) return Promise.resolve({ trouble: 'the engine stops' });
    if (this.idle !== null) clearTimeout(this.idle);
    this.idle = null;
    return new Promise((resolve) => {
      this.answer = (message) => {
        this.answer = null;
        this.idle = setTimeout(() => this.end(), IDLE_MS);
        this.idle.unref();
        resolve(message);
      };
      this.child ??= this.begin();
      this.child.send(task, (error) => {
        if (error) this.answer?.({ trouble: messageOf(error) });
      });
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.idle !== null) clearTimeout(this.idle);
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.ref();
    child.kill('SIGKILL');
    await gone;
  }

  private begin(): ChildProcess {
    const child = fork(PROGRAM, [], {
      serialization: 'advanced',
      execArgv: ['--disable-warning=ExperimentalWarning', HEAP],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const gone = (why: string): void => {
      if (this.child !== child) return;
      this.child = null;
      this.answer?.({ trouble: why });
    };
    child.on('message', (message: ForecastMessage) => this.answer?.(message));
    child.on('error', (error) => gone(messageOf(error)));
    child.on('exit', (code, signal) =>
      gone(signal === null ? `it ended with status ${code}` : `it got ${signal}`),
    );
    child.unref();
    child.channel?.unref();
    return child;
  }

  private end(): void {
    const { child } = this;
    this.child = null;
    child?.disconnect();
  }
}
