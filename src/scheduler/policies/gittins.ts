import type { Policy } from '../policy.ts';
import type { Snapshot } from '../snapshot.ts';
import { type ByStopCost, byStopCost } from './byStopCost.ts';
import { competing, isComputing } from './competition.ts';
import { pastServiceOf } from './pastService.ts';
import { Quantum, type QuantumConfig } from './quantum.ts';

export const GITTINS: ByStopCost<QuantumConfig> = {
  free: { leastGpuS: 300, share: 0.2 },
  costly: { leastGpuS: 1800, share: 0.4 },
};

/** Fewer earlier jobs say too little. */
const FEWEST_JOBS = 10;

/**
 * The highest Gittins index first: of all policies that know the distribution of service, but not a job's own, the one
 * with the least mean completion time on one machine (Gittins 1979; Aalto, Ayesta & Righter 2009, "On the Gittins index
 * in the M/G/1 queue"). The distribution is what earlier jobs took, in GPU-seconds, as in the two-dimensional Gittins
 * of Gu et al., "Tiresias" (NSDI 2019), section 3.2. With fewer than ten earlier jobs it is `las`.
 *
 * Ours: who runs has the index of now or of a quantum ago, whichever is higher, so that equals do not take turns; and
 * jobs are looked at only at levels of service that are a quantum apart, where the paper computes the index for its
 * queues, and only at those at which somebody who waits goes before them. Who has had more than every earlier job goes
 * last, first come, first served.
 */
export function gittinsWith(config: QuantumConfig): Policy {
  const quantum = new Quantum(config);
  return competing({
    name: 'gittins',
    key: (job, _snapshot, history) => keyAt(job.attainedGpuS, isComputing(job), history, quantum),
    reviewAfterS: (snapshot, history) => reviewAfterS(snapshot, history, quantum),
  });
}

export const gittins: Policy = byStopCost(GITTINS, gittinsWith);

function keyAt(attainedGpuS: number, runs: boolean, history: readonly number[], quantum: Quantum): number {
  const past = pastServiceOf(history);
  const beforeGpuS = attainedGpuS - quantum.of(attainedGpuS);
  if (past === null || past.jobs < FEWEST_JOBS) return runs ? beforeGpuS : attainedGpuS;
  const index = past.gittinsIndex(attainedGpuS);
  return -(runs ? Math.max(index, past.gittinsIndex(Math.max(0, beforeGpuS))) : index);
}

function reviewAfterS({ waiting, running }: Snapshot, history: readonly number[], quantum: Quantum): number {
  let firstKey = Number.POSITIVE_INFINITY;
  for (const { attainedGpuS } of waiting)
    firstKey = Math.min(firstKey, keyAt(attainedGpuS, false, history, quantum));
  let soonestS = Number.POSITIVE_INFINITY;
  for (const job of running) {
    const { attainedGpuS, deviceIds } = job;
    if (!isComputing(job) || deviceIds.length === 0) continue;
    // Who is behind already was seen to be so, and could not give way.
    if (keyAt(attainedGpuS, true, history, quantum) > firstKey) continue;
    // A hair further, so that a level that was just reached is not the next.
    let level = quantum.levelFrom(attainedGpuS + 1);
    while (level < Number.POSITIVE_INFINITY && keyAt(level, true, history, quantum) < firstKey)
      level = quantum.levelFrom(level + 1);
    soonestS = Math.min(soonestS, (level - attainedGpuS) / deviceIds.length);
  }
  return soonestS;
}
