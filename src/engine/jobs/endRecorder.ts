import { lateDiagnosis } from '../../domain/deadline.ts';
import type { Diagnosis } from '../../domain/diagnosis.ts';
import type { Job } from '../../domain/job.ts';
import { isGivingWay } from '../../domain/lifecycle.ts';
import { retryAtMs } from '../../domain/retries.ts';
import type { Clock, Log } from '../ports.ts';
import { diagnoseEnd, type End, type EndSources, signalOf } from './diagnoseEnd.ts';
import type { Ledger } from './ledger.ts';
import { signalJob } from './processes.ts';
import type { RunDirectory } from './runDirectory.ts';

export interface EndRecorderOptions {
  readonly ledger: Ledger;
  readonly runOf: (job: Job) => RunDirectory;
  readonly faultOf: EndSources['faultOf'];
  readonly clock: Clock;
  readonly log: Log;
}

/** Records how attempts ended, why, and whether the job is to be tried again: all in one event each. */
export class EndRecorder {
  readonly #options: EndRecorderOptions;

  constructor(options: EndRecorderOptions) {
    this.#options = options;
  }

  /** It could not be started. */
  launchFailed(job: Job, reason: string): Job {
    const { ledger, runOf, clock } = this.#options;
    const diagnosis = this.#diagnose(job, { exitCode: null, trouble: reason, lost: false });
    // Whoever has the claim decides: without it, something may yet be started by this launch.
    const retry = runOf(job).claim() ? this.#retryOf(job, null, diagnosis, clock.nowMs()) : {};
    return ledger.append(job.id, { kind: 'launch-failed', reason, diagnosis, ...retry }, 'engine');
  }

  /** Its exit code lies there. */
  exited(job: Job, exit: { readonly exitCode: number; readonly atMs: number }): void {
    const { ledger, runOf, clock } = this.#options;
    if (job.status === 'stopping' && job.process) signalJob(job.process, 'SIGKILL');
    const atMs = Math.max(job.startedAtMs ?? exit.atMs, Math.min(exit.atMs, clock.nowMs()));
    const { exitCode } = exit;
    const run = runOf(job);
    const refusal = run.cause();
    const preempted = isGivingWay(ledger.stoppingAs(job.id));
    const untold = preempted && !run.wasTold();
    const ended: Job = untold ? { ...job, status: 'running' } : job;
    // What gives way has not come to grief.
    const diagnosis =
      preempted && !untold
        ? null
        : (this.#diagnose(ended, { exitCode, trouble: refusal, lost: false }) ?? lateDiagnosis(job, atMs));
    const retry = this.#retryOf(ended, exitCode, diagnosis, atMs);
    // Two attempts of a job never run at once, and what the first left behind would hold its devices.
    if (retry.retryAtMs !== undefined && job.process) signalJob(job.process, 'SIGKILL');
    ledger.append(
      job.id,
      {
        kind: 'exited',
        exitCode,
        cause: ended.status === 'stopping' ? null : (refusal ?? describeExit(exitCode)),
        diagnosis,
        ...retry,
        ...(untold ? { untold } : {}),
      },
      'process',
      atMs,
    );
  }

  /** It is gone, and nobody saw how. */
  lost(job: Job, reason: string): void {
    const { ledger, clock } = this.#options;
    const diagnosis = this.#diagnose(job, { exitCode: null, trouble: reason, lost: true });
    const retry = this.#retryOf(job, null, diagnosis, clock.nowMs());
    ledger.append(job.id, { kind: 'lost', reason, diagnosis, ...retry }, 'engine');
  }

  #retryOf(
    job: Job,
    exitCode: number | null,
    diagnosis: Diagnosis | null,
    endedAtMs: number,
  ): { retryAtMs?: number } {
    const at = retryAtMs(job, { exitCode, diagnosis: diagnosis?.code ?? null }, endedAtMs);
    return at === null ? {} : { retryAtMs: at };
  }

  #diagnose(job: Job, end: End): Diagnosis | null {
    const { ledger, runOf, log, faultOf } = this.#options;
    return diagnoseEnd(job, end, { ledger, run: runOf(job), log, faultOf });
  }
}

/** How a process ended, in words; null: well. */
export function describeExit(exitCode: number): string | null {
  if (exitCode === 0) return null;
  const signal = signalOf(exitCode);
  return signal === null ? `exited with code ${exitCode}` : `ended by ${signal}`;
}
