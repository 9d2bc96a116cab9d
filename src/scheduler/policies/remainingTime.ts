import type { Policy } from '../policy.ts';
import { type Competitor, competing } from './competition.ts';

const remainingS = ({ remaining }: Competitor): number => remaining?.p50S ?? Number.POSITIVE_INFINITY;

/** Shortest remaining time first: the least mean completion time on one machine (Schrage 1968). Knows true durations. */
export const srtf: Policy = competing({ name: 'srtf', clairvoyant: true, key: remainingS });

/** Shortest remaining service first: remaining time × GPUs (Gu et al., "Tiresias", NSDI 2019, section 3.2). Knows true durations. */
export const srsf: Policy = competing({
  name: 'srsf',
  clairvoyant: true,
  key: (job) => remainingS(job) * job.gpus,
});
