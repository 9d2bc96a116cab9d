import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import { pairKey, type RunningJob, type Snapshot, type WaitingJob } from '../snapshot.ts';
import { expectedServiceGpuS } from './expectedService.ts';
import { chosen } from './fifo.ts';

export interface PackConfig {
  /** Speed that each job on a device loses for each unit by which their utilisations alone sum past 1. */
  readonly loss: number;
  /** Least gain of throughput, in jobs at full speed for each device, for which jobs share. */
  readonly leastGain: number;
}

/** Two jobs that use all of a GPU gain 0.26 by that rule, which measured pairs exceed at the median (0.37) and miss by far at times (-0.46). */
export const PACK: PackConfig = { loss: 0.37, leastGain: 0.25 };

/**
 * Packs jobs onto shared devices where that pays: jobs in the order of expected remaining service, each at the placement
 * that adds most to the sum of normalised throughputs (speed on the device relative to alone), as Xiao et al., "Gandiva"
 * (OSDI 2018) pack and Narayanan et al., "Heterogeneity-aware cluster scheduling policies" (Gavel, OSDI 2020) count.
 * Where only sharing is possible and would add too little, it waits. Never preempts; memory is the shield's business.
 *
 * Ours: where the speeds of two kinds of jobs beside each other were measured, they count; else interference is
 * predicted by a rule of thumb, a loss of 0.37 of speed for each unit of summed utilisation past 1; unknown
 * utilisation counts as a full GPU. Jobs without a prediction
 * are ranked by the mean of earlier ones; without any, in the order of the queue behind the others. Of an elastic job
 * only placements of its first size are compared.
 */
export function packWith(config: PackConfig): Policy {
  return { name: 'pack', version: '2', choose: (input) => choose(input, config) };
}

export const pack: Policy = packWith(PACK);

function choose({ snapshot, candidates, history }: PolicyInput, config: PackConfig): PolicyChoice {
  const crowds = crowdsOf(snapshot);
  const last = candidates.length - 1;
  const mayWait = candidates[last]!.kind === 'wait';
  let best = -1;
  let bestGain = 0;
  let leastService = Number.POSITIVE_INFINITY;
  let at = -1;
  let size = 0;
  let service = 0;
  for (let i = 0; i < candidates.length; i++) {
    const action = candidates[i]!;
    if (action.kind !== 'launch') break;
    const { jobId, deviceIds } = action;
    if (snapshot.waiting[at]?.id !== jobId) {
      at = snapshot.waiting.findIndex(({ id }, place) => place > at && id === jobId);
      size = deviceIds.length;
      service = expectedServiceGpuS(snapshot.waiting[at]!, history);
    }
    if (deviceIds.length !== size) continue;
    const same = best >= 0 && (candidates[best] as typeof action).jobId === jobId;
    if (best >= 0 && !same && service >= leastService) continue;
    const gain = gainOf(snapshot.waiting[at]!, deviceIds, crowds, snapshot.interference, config.loss);
    if ((mayWait && gain < config.leastGain) || (same && gain <= bestGain)) continue;
    best = i;
    bestGain = gain;
    leastService = service;
  }
  return chosen(best >= 0 ? best : last);
}

/** Who computes on a device. */
interface Crowd {
  jobs: number;
  /** The last of them. */
  one: RunningJob | null;
  /** Sum of what each uses when alone. */
  utilisation: number;
}

function crowdsOf({ devices, running }: Snapshot): Map<string, Crowd> {
  const crowds = new Map<string, Crowd>(
    devices.map(({ id }) => [id, { jobs: 0, one: null, utilisation: 0 }]),
  );
  for (const job of running) {
    if (job.pausedBy !== null) continue;
    for (const id of job.deviceIds) {
      const crowd = crowds.get(id);
      if (crowd === undefined) continue;
      crowd.jobs++;
      crowd.one = job;
      crowd.utilisation += utilisationOf(job);
    }
  }
  return crowds;
}

const utilisationOf = ({ gpuUtil }: WaitingJob | RunningJob): number => gpuUtil ?? 1;

/** Speed of each job on a device, relative to alone. */
const speedAt = (utilisation: number, loss: number): number =>
  Math.max(0, 1 - loss * Math.max(0, utilisation - 1));

/** What a launch adds to the sum of normalised throughputs, for each device that it takes; 1 on empty ones. */
function gainOf(
  job: WaitingJob,
  deviceIds: readonly string[],
  crowds: ReadonlyMap<string, Crowd>,
  measured: Snapshot['interference'],
  loss: number,
): number {
  if (deviceIds.length === 0) return 1;
  let slowest = 1;
  let lost = 0;
  for (const id of deviceIds) {
    const { jobs, one, utilisation } = crowds.get(id)!;
    const after = speedAt(utilisation + utilisationOf(job), loss);
    if (jobs === 0) continue;
    const pair = jobs === 1 ? pairSpeeds(job, one!, measured) : null;
    if (pair !== null) {
      slowest = Math.min(slowest, pair.its);
      lost += 1 - pair.theirs;
      continue;
    }
    slowest = Math.min(slowest, after);
    lost += jobs * (speedAt(utilisation, loss) - after);
  }
  return slowest - lost / deviceIds.length;
}

/** Measured speeds of two jobs beside each other, relative to alone; null where one of them was not measured. */
function pairSpeeds(
  job: WaitingJob,
  resident: RunningJob,
  measured: Snapshot['interference'],
): { its: number; theirs: number } | null {
  if (measured === undefined || job.kind === undefined || resident.kind === undefined) return null;
  const its = measured[pairKey(job.kind, resident.kind)];
  const theirs = measured[pairKey(resident.kind, job.kind)];
  return its === undefined || theirs === undefined ? null : { its, theirs };
}
