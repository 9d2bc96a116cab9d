import { type PlainTrace, PlainTraceBuilder } from '../../src/simulator/plain/plainTrace.ts';
import { plainPolicy } from '../../src/simulator/plain/policies.ts';
import { type PlainOutcome, simulatePlain } from '../../src/simulator/plain/simulatePlain.ts';

/** A job as tests write it: submit, duration, GPUs, and whose it is. */
export type ShortJob = readonly [submitS: number, durationS: number, gpus: number, user?: string];

export function plainTrace(jobs: readonly ShortJob[]): PlainTrace {
  const builder = new PlainTraceBuilder();
  for (const [submitS, durationS, gpus, user] of jobs)
    builder.add({ submitS, durationS, gpus, user: user ?? null });
  return builder.build();
}

/** A stretch of time that a job runs without a break. */
export interface Stretch {
  readonly row: number;
  readonly fromS: number;
  readonly toS: number;
}

export function scheduleOf(
  trace: PlainTrace,
  gpus: number,
  policy: string,
): { outcome: PlainOutcome; stretches: Stretch[] } {
  const stretches: Stretch[] = [];
  const outcome = simulatePlain(trace, gpus, plainPolicy(policy), (row, fromS, toS) =>
    stretches.push({ row, fromS, toS }),
  );
  return { outcome, stretches };
}
