import type { ChildProcess } from 'node:child_process';
import { messageOf } from '../../domain/errors.ts';
import { forkProgram, killProgram } from '../forkProgram.ts';
import type { ForecastMessage, ForecastTask } from './forecastMessages.ts';

const HEAP_MIB = 256;
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
    if (this.child !== null) await killProgram(this.child);
  }

  private begin(): ChildProcess {
    const child = forkProgram(import.meta.url, './forecastProcess', HEAP_MIB);
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
    return child;
  }

  private end(): void {
    const { child } = this;
    this.child = null;
    child?.disconnect();
  }
}
