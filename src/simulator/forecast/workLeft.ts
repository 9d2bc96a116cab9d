import { type Rng, randomNormal } from '../../domain/rng.ts';
import { beliefsOf } from '../../scheduler/belief.ts';
import type { RunningJob, Snapshot, TimeSpread, WaitingJob } from '../../scheduler/snapshot.ts';

/** Standard deviations from the median to the 90th percentile of a normal. */
const Z90 = 1.2816;
/** Part of the variance that runs of one command have in common: where one lasts longer than thought, so do the others. */
const IN_COMMON = 0.5;
const LEAST_S = 0.5;

/**
 * Draws how much work each job of a snapshot has left, seconds at full speed: from the prediction where there is one, which
 * knows progress and earlier runs, else from what is believed of jobs like it.
 */
export function workLeft(snapshot: Snapshot, rng: Rng): Map<number, number> {
  const beliefs = beliefsOf(snapshot);
  const common = new Map<string, number>();
  const drawn = new Map<number, number>();
  const draw = (job: WaitingJob | RunningJob): void => {
    const command = job.command ?? `job ${job.id}`;
    const shared = common.get(command) ?? randomNormal(rng);
    common.set(command, shared);
    const z = Math.sqrt(IN_COMMON) * shared + Math.sqrt(1 - IN_COMMON) * randomNormal(rng);
    const { medianS, sigma } = beliefs.of(job);
    const leftS = job.remaining === null ? medianS * Math.exp(sigma * z) : quantileAt(job.remaining, z);
    drawn.set(job.id, Math.max(LEAST_S, leftS));
  };
  // In an order that does not depend on who was launched last.
  for (const job of [...snapshot.running, ...snapshot.waiting].sort((a, b) => a.id - b.id)) draw(job);
  return drawn;
}

/** Log-normal on either side of the median, through the three quantiles. */
function quantileAt({ p10S, p50S, p90S }: TimeSpread, z: number): number {
  const middle = Math.max(LEAST_S, p50S);
  const edge = z > 0 ? Math.max(middle, p90S) / middle : middle / Math.max(0.01, Math.min(middle, p10S));
  return middle * edge ** (z / Z90);
}
