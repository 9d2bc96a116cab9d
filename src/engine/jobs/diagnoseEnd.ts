import { constants } from 'node:os';
import { type Diagnosis, diagnose, type EndFacts } from '../../domain/diagnosis.ts';
import { messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { Log } from '../ports.ts';
import type { Ledger } from './ledger.ts';
import { readLogTail } from './logTail.ts';
import { oomKilledSince } from './oomKills.ts';
import type { RunDirectory } from './runDirectory.ts';

/** So much of the end of a log is searched for the cause. */
const TAIL_BYTES = 256 * 1024;

/** How a job ended, before that is recorded. */
export interface End {
  /** null: it never ran, or nobody saw it. */
  readonly exitCode: number | null;
  /** Why it could not be started, or nobody saw its end; null otherwise. */
  readonly trouble: string | null;
  readonly lost: boolean;
}

/** Where what is known of an end comes from. */
export interface EndSources {
  readonly ledger: Ledger;
  readonly run: RunDirectory;
  readonly log: Log;
  /** What the driver reported of its GPUs while it ran; undefined: nothing. */
  readonly faultOf: (job: Job) => EndFacts['fault'];
}

/**
 * Why a job ended; null where it ended well. An end is recorded whatever its log is like: what cannot be read of it
 * is said in the engine's log and left out.
 */
export function diagnoseEnd(job: Job, end: End, { ledger, run, log, faultOf }: EndSources): Diagnosis | null {
  try {
    const facts = factsOf(job, end, ledger, run);
    return facts === null
      ? null
      : diagnose({ ...facts, fault: faultOf(job) }, readLogTail(run.logPath, TAIL_BYTES));
  } catch (error) {
    log.warn(`why job ${job.id} ended could not be read from its log`, { error: messageOf(error) });
    return null;
  }
}

function factsOf(job: Job, end: End, ledger: Ledger, run: RunDirectory): EndFacts | null {
  const { exitCode, trouble, lost } = end;
  const stopping =
    job.status === 'stopping'
      ? ledger.read.events(job.id).findLast(({ event }) => event.kind === 'stopping')
      : undefined;
  const outcome = stopping?.event.kind === 'stopping' ? stopping.event : null;
  if (outcome === null && exitCode === 0) return null;
  return {
    status: outcome?.outcome ?? (lost ? 'lost' : 'failed'),
    exitCode,
    signal: signalOf(exitCode),
    stoppedBy: outcome === null ? null : { actor: stopping!.actor, by: stopping!.by, reason: outcome.reason },
    trouble,
    oomKilled: oomKilledSince(run.path),
    neighbours: ledger
      .live()
      .filter((other) => other.id !== job.id && other.devices.some((id) => job.devices.includes(id)))
      .map((other) => other.id),
  };
}

/** The name of the signal that an exit code stands for, as a shell gives it; null: it stands for none. */
export function signalOf(exitCode: number | null): string | null {
  if (exitCode === null || exitCode <= 128) return null;
  return Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0] ?? null;
}
