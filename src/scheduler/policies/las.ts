import type { Policy } from '../policy.ts';
import type { Snapshot } from '../snapshot.ts';
import { type ByStopCost, byStopCost } from './byStopCost.ts';
import { type Competitor, competing, isComputing } from './competition.ts';
import { Quantum, type QuantumConfig } from './quantum.ts';

export const LAS: ByStopCost<QuantumConfig> = {
  free: { leastGpuS: 300, share: 0.2 },
  costly: { leastGpuS: 1800, share: 0.7 },
};

/**
 * Least attained service first (Nuyens & Wierman 2008, "The foreground-background queue: a survey"), with service in
 * GPU-seconds as in the continuous two-dimensional LAS of Gu et al., "Tiresias" (NSDI 2019), section 3.2. It knows
 * nothing of durations, and is the best that can be done so where short jobs are likelier to end soon than long ones.
 *
 * Ours: the literature lets equals share the machine in slices. Here who runs goes on until it is ahead by a quantum, so many
 * GPU-seconds or a share of what it has had, whichever is more; else equals would change places at each look, and a
 * change costs a checkpoint and a restart. For the same reason it is not looked at every 300 s, but when the order of
 * somebody who runs and somebody who waits changes by more than that.
 */
export function lasWith(config: QuantumConfig): Policy {
  const quantum = new Quantum(config);
  return competing({
    name: 'las',
    key: (job) => attainedKey(job, quantum),
    reviewAfterS: (snapshot) => reviewAfterS(snapshot, quantum),
  });
}

export const las: Policy = byStopCost(LAS, lasWith);

/** GPU-seconds attained, less a quantum for who runs. */
function attainedKey(job: Competitor, quantum: Quantum): number {
  const { attainedGpuS } = job;
  return isComputing(job) ? attainedGpuS - quantum.of(attainedGpuS) : attainedGpuS;
}

function reviewAfterS({ waiting, running }: Snapshot, quantum: Quantum): number {
  let soonestS = Number.POSITIVE_INFINITY;
  for (const { attainedGpuS, deviceIds, pausedBy } of running) {
    if (pausedBy !== null || deviceIds.length === 0) continue;
    const reached = attainedGpuS - quantum.of(attainedGpuS);
    // Of those who wait it has not passed yet, the one with the least.
    let next = Number.POSITIVE_INFINITY;
    for (const other of waiting) {
      if (other.attainedGpuS >= reached && other.attainedGpuS < next) next = other.attainedGpuS;
    }
    if (next === Number.POSITIVE_INFINITY) continue;
    soonestS = Math.min(
      soonestS,
      (quantum.levelFrom(quantum.aheadOf(next)) - attainedGpuS) / deviceIds.length,
    );
  }
  return soonestS;
}
