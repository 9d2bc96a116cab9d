import type { Policy } from '../policy.ts';
import { greedy } from './greedy.ts';

/**
 * Shortest job first: of all orders of one machine the least mean wait without preemption (Smith 1956, "Various
 * optimizers for single-stage production"). Who does not fit is passed over. Knows true durations.
 */
export const sjf: Policy = greedy({
  name: 'sjf',
  clairvoyant: true,
  key: ({ remaining }) => remaining?.p50S ?? Number.POSITIVE_INFINITY,
});
