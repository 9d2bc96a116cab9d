import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import type { Snapshot, WaitingJob } from '../snapshot.ts';

/**
 * First come, first served, strictly: the head of the queue starts as soon as it fits, and nobody passes it
 * meanwhile. The baseline of the backfilling literature (Feitelson, Rudolph & Schwiegelshohn 2005, "Parallel job
 * scheduling: a status report"). A job that the readable devices can never hold is not the head, for it would
 * stop the queue for good.
 */
export const fifo: Policy = {
  name: 'fifo',
  version: '1',
  choose({ snapshot, candidates }: PolicyInput): PolicyChoice {
    const head = snapshot.waiting.find((job) => fitsMachine(snapshot, job));
    const first = candidates.findIndex((action) => action.kind === 'launch' && action.jobId === head?.id);
    // Where waiting is not allowed, the last is a launch that the shield demands.
    return chosen(first >= 0 ? first : candidates.length - 1);
  },
};

/** The answer of a policy that neither scores nor explores. */
export function chosen(index: number): PolicyChoice {
  return { index, scores: null, epsilon: null, explored: false, features: null };
}

/** Whether the readable devices could ever hold it. */
export function fitsMachine(snapshot: Snapshot, job: WaitingJob): boolean {
  if (job.gpus === 0) return snapshot.cpuSlots > 0;
  let enough = 0;
  for (const device of snapshot.devices) {
    if (device.usable && (job.vramMib ?? 0) <= device.memoryTotalMib && ++enough === job.gpus) return true;
  }
  return false;
}
