import type { PastJob } from '../domain/pastJob.ts';
import { TRACE_HEADER, type TraceJob, traceRow } from '../domain/trace.ts';
import { OutputFile } from './outputFile.ts';

/** A stretch of the record as a trace. */
export interface HistoryTrace {
  /** By arrival. */
  readonly jobs: readonly TraceJob[];
  /** Left out: a trace has no place for jobs without a GPU, or without a run. */
  readonly cpuOnly: number;
  readonly neverRan: number;
}

/**
 * The owner's jobs as a trace whose time starts with the first of them. Arrival is when a job was first free to start;
 * its memory is as declared, else as observed.
 */
export function traceOfHistory(history: readonly PastJob[]): HistoryTrace {
  const ran = history.filter((job) => job.startedAtMs !== null);
  const onGpus = ran.filter((job) => job.gpus > 0);
  onGpus.sort((a, b) => a.readyAtMs - b.readyAtMs || a.id - b.id);
  const originMs = onGpus[0]?.readyAtMs ?? 0;
  const jobs = onGpus.map((job) => ({
    jobId: String(job.id),
    submitS: toMs((job.readyAtMs - originMs) / 1000),
    durationS: toMs(job.runS),
    gpus: job.gpus,
    vramMib: job.vramMib ?? (job.peakMib === null ? null : Math.ceil(job.peakMib)),
    gpuUtil: null,
    priority: job.priority,
    user: job.user,
    name: job.name,
    estimateS: job.estimateS,
  }));
  return { jobs, cpuOnly: ran.length - onGpus.length, neverRan: history.length - ran.length };
}

const toMs = (s: number): number => Math.round(s * 1000) / 1000;

/** The trace as CSV, a piece at a time. */
export function* traceText(jobs: readonly TraceJob[]): Generator<string> {
  yield `${TRACE_HEADER}\n`;
  for (const job of jobs) yield `${traceRow(job)}\n`;
}

/**
 * Writes a file that appears whole or not at all; what is there is replaced at the end.
 * @throws {FieldError} naming `flag` where it cannot be written.
 */
export function writeWhole(flag: string, path: string, pieces: Iterable<string>): void {
  const file = new OutputFile(flag, path);
  try {
    let batch = '';
    for (const piece of pieces) {
      batch += piece;
      if (batch.length < BATCH_CHARS) continue;
      file.write(batch);
      batch = '';
    }
    file.write(batch);
    file.keep();
  } finally {
    file.discard();
  }
}

const BATCH_CHARS = 1 << 18;
