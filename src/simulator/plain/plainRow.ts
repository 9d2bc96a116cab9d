import { type Metrics, metricsOf } from '../metrics.ts';
import type { PlainTrace } from './plainTrace.ts';
import type { PlainPolicy } from './policies.ts';
import type { PlainOutcome } from './simulatePlain.ts';

/** One policy's result, as `stint simulate --json` prints it. */
export interface PlainRow extends Metrics {
  readonly policy: string;
  readonly clairvoyant: boolean;
  /** Jobs that ran. */
  readonly jobs: number;
  /** Jobs that ask for more GPUs than there are. */
  readonly rejected: number;
  readonly preemptions: number;
}

/**
 * The metrics of a plain run, over the jobs that were not rejected.
 * @param trace with at least one job that fits on `gpus`.
 */
export function plainRow(
  trace: PlainTrace,
  gpus: number,
  policy: PlainPolicy,
  outcome: PlainOutcome,
): PlainRow {
  const ran = (_value: number, row: number): boolean => outcome.rejected[row] === 0;
  const finishS = outcome.finishS.filter(ran);
  const jobs = finishS.length;
  const metrics = metricsOf(
    {
      length: jobs,
      submitS: trace.submitS.filter(ran),
      durationS: trace.durationS.filter(ran),
      gpus: trace.gpus.filter(ran),
      user: trace.user.filter(ran),
      finishS,
    },
    gpus,
  );
  return {
    policy: policy.name,
    clairvoyant: policy.clairvoyant,
    jobs,
    ...metrics,
    preemptions: outcome.preemptions.reduce((sum, count) => sum + count, 0),
    rejected: trace.jobs - jobs,
  };
}
