import type { Policy } from '../policy.ts';
import { expectedServiceGpuS } from './expectedService.ts';
import { greedy } from './greedy.ts';

/**
 * Quasi-shortest service first (Hu et al., "Characterization and prediction of deep learning workloads in large-scale
 * GPU datacenters", Helios, SC 2021, section 4.2): by predicted duration × GPUs, never preempting.
 *
 * Ours: whose duration nobody predicts is ranked by the mean service of earlier jobs, because it is the mean that the
 * best order goes by (Smith's rule); without any, last. Who does not fit is passed over.
 */
export const qssf: Policy = greedy({
  name: 'qssf',
  key: (job, _snapshot, history) => expectedServiceGpuS(job, history),
});
