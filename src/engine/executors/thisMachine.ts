import type { Pauses } from '../control/pauses.ts';
import type { Throttles } from '../control/throttles.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Runner } from '../jobs/runner.ts';
import type { People } from '../scheduling/people.ts';
import type { JobExecutor } from './jobExecutor.ts';

export interface ThisMachineOptions {
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly people: People;
  readonly pauses: Pauses;
  readonly throttles: Throttles;
}

/** Jobs as processes of this machine. */
export function thisMachine(options: ThisMachineOptions): JobExecutor {
  const { ledger, runner, people, pauses, throttles } = options;
  return {
    cancel: (jobId, together) => runner.cancel(jobId, together),
    hold: (jobId) => ledger.append(jobId, { kind: 'held' }, 'person'),
    release: (jobId) => ledger.append(jobId, { kind: 'released' }, 'person'),
    pause: (jobId, wanted) => people.pause(jobId, wanted),
    resume: (jobId) => pauses.resume(jobId),
    preempt: (jobId) => people.preempt(jobId),
    throttle: (jobId, share, by) => throttles.throttle(jobId, share, by),
  };
}
