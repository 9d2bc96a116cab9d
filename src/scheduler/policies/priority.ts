import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import { chosen } from './fifo.ts';

/**
 * The job of highest priority that fits starts; among equals the first in the queue. Non-preemptive head-of-the-
 * line priorities (Cobham 1954, "Priority assignment in waiting line problems"), with jobs that do not fit
 * passed over.
 */
export const priority: Policy = {
  name: 'priority',
  version: '1',
  choose({ snapshot, candidates }: PolicyInput): PolicyChoice {
    const priorities = new Map(snapshot.waiting.map((job) => [job.id, job.priority]));
    let best = candidates.length - 1;
    let highest = Number.NEGATIVE_INFINITY;
    candidates.forEach((action, index) => {
      if (action.kind === 'wait') return;
      const value = priorities.get(action.jobId) ?? Number.NEGATIVE_INFINITY;
      if (value > highest) {
        best = index;
        highest = value;
      }
    });
    return chosen(best);
  },
};
