import { chosen } from '../../scheduler/policies/fifo.ts';
import type { Policy, PolicyChoice, PolicyInput } from '../../scheduler/policy.ts';
import type { RecordedJob, Recording } from './record.ts';

/** What the policy below is called. */
export const RECORDED_ORDER = 'recorded order';

/**
 * Starts jobs in the order in which they were started, whoever decided it then: each as soon as it fits and all before it
 * have been started. It shows how far the simulated machine is from the real one where the policy that was in charge
 * cannot be had again.
 */
export function recordedOrder(jobs: readonly RecordedJob[], originMs: Recording['originMs']): Policy {
  const order = jobs.toSorted((a, b) => a.startedAtMs - b.startedAtMs || a.id - b.id);
  const place = new Map(order.map((job, index) => [job.id, index]));
  const arrivalMs = order.map((job) => job.readyAtMs - originMs);
  return {
    name: RECORDED_ORDER,
    version: '1',
    choose({ snapshot, candidates }: PolicyInput): PolicyChoice {
      let first = order.length;
      for (const { id } of snapshot.waiting) first = Math.min(first, place.get(id) ?? order.length);
      // One that was started before it, and is still to come.
      for (let i = 0; i < first; i++) if (arrivalMs[i]! > snapshot.nowMs) first = order.length;
      const launch = candidates.findIndex(
        (action) => action.kind === 'launch' && place.get(action.jobId) === first,
      );
      return chosen(launch >= 0 ? launch : candidates.length - 1);
    },
  };
}
