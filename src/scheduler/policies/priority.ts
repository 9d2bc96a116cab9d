import type { Policy } from '../policy.ts';
import { greedy } from './greedy.ts';

/**
 * The job of highest priority that fits starts; among equals the first in the queue. Non-preemptive head-of-the-
 * line priorities (Cobham 1954, "Priority assignment in waiting line problems"), with jobs that do not fit
 * passed over.
 */
export const priority: Policy = greedy({ name: 'priority', key: (job) => -job.priority });
