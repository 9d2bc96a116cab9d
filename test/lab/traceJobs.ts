import type { TraceJob } from '../../src/domain/trace.ts';

/** A job as tests write it, of one GPU and with nothing else known. */
export function traceJob(
  id: number,
  submitS: number,
  durationS: number,
  over: Partial<TraceJob> = {},
): TraceJob {
  return {
    jobId: String(id),
    submitS,
    durationS,
    gpus: 1,
    vramMib: null,
    gpuUtil: null,
    priority: null,
    user: null,
    name: null,
    estimateS: null,
    ...over,
  };
}
