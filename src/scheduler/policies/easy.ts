import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import { DEFAULT_LIMITS, type RunningJob, type Snapshot, type WaitingJob } from '../snapshot.ts';
import { chosen, fitsMachine } from './fifo.ts';

/**
 * EASY backfilling (Lifka 1995, "The ANL/IBM SP scheduling system"; Mu'alem & Feitelson 2001, "Utilization,
 * predictability, workloads, and user runtime estimates"): the head of the queue starts as soon as it fits. Meanwhile
 * others may overtake it, in the order of the queue, so long as they do not delay it: either they end before the time at
 * which it is expected to start (the shadow time), or they take devices that it will not need then.
 *
 * Ours: run times are predicted medians of those who run and those who overtake, since system-made predictions serve
 * backfilling better than generous ones (Tsafrir, Etsion & Feitelson 2007, "Backfilling using system-generated
 * predictions rather than user runtime estimates"). Devices count one by one, and the head may start beside others where
 * both fit. Where a run time is unknown it has no end: then as many devices as the head asks for are kept for it, those
 * that are free soonest, and nobody else starts there, as under `fifo`; on the others it is first come, first served
 * with backfilling.
 */
export const easy: Policy = {
  name: 'easy',
  version: '1',
  choose({ snapshot, candidates }: PolicyInput): PolicyChoice {
    const head = snapshot.waiting.find((job) => fitsMachine(snapshot, job));
    let plan: Plan | null = null;
    for (let i = 0; i < candidates.length; i++) {
      const action = candidates[i]!;
      if (action.kind !== 'launch') break;
      if (head === undefined || action.jobId === head.id) return chosen(i);
      plan ??= planOf(snapshot, head);
      const job = snapshot.waiting.find(({ id }) => id === action.jobId);
      if (job !== undefined && leavesInTime(plan, job, action.deviceIds, head)) return chosen(i);
    }
    // Where waiting is not allowed, the last is a launch that the shield demands.
    return chosen(candidates.length - 1);
  },
};

/** When the head may start, and where. */
interface Plan {
  /** Seconds until each device is free for the head; Infinity: nobody knows. Others are not for it. */
  readonly freeInS: ReadonlyMap<string, number>;
  /** Seconds until the head can start; Infinity: nobody knows. */
  readonly shadowS: number;
  /** Devices that will be free for it by then, beyond those that it asks for. */
  readonly extra: number;
  /** Kept for the head where nobody knows when it can start. */
  readonly kept: ReadonlySet<string>;
}

function planOf(snapshot: Snapshot, head: WaitingJob): Plan {
  const free: { readonly id: string; readonly inS: number }[] = [];
  for (const device of snapshot.devices) {
    const { id, usable, ownerPresent, foreignMib, memoryTotalMib } = device;
    if (!usable || ownerPresent || foreignMib === null) continue;
    if (foreignMib + (head.vramMib ?? 0) > memoryTotalMib) continue;
    const residents = snapshot.running.filter(({ deviceIds }) => deviceIds.includes(id));
    free.push({ id, inS: freeInS(residents, head, memoryTotalMib - foreignMib) });
  }
  // Subtracting infinities gives NaN; equal times keep the order of the devices.
  free.sort((a, b) => (a.inS === b.inS ? 0 : a.inS - b.inS));
  const needs = head.minGpus;
  const shadowS = free[needs - 1]?.inS ?? Number.POSITIVE_INFINITY;
  return {
    freeInS: new Map(free.map(({ id, inS }) => [id, inS])),
    shadowS,
    extra: free.filter(({ inS }) => inS <= shadowS).length - needs,
    kept: new Set(free.slice(0, needs).map(({ id }) => id)),
  };
}

/** Seconds until so many residents have left that the head fits beside the others. */
function freeInS(residents: readonly RunningJob[], head: WaitingJob, roomMib: number): number {
  const byEnd = residents.toSorted((a, b) => {
    const [first, second] = [endsInS(a), endsInS(b)];
    return first === second ? 0 : first - second;
  });
  let inS = 0;
  for (let gone = 0; gone < byEnd.length; gone++) {
    if (shares(head, byEnd, gone, roomMib)) return inS;
    inS = endsInS(byEnd[gone]!);
  }
  return inS;
}

/** Whether the head fits beside those of `residents` from index `from` on. */
function shares(head: WaitingJob, residents: readonly RunningJob[], from: number, roomMib: number): boolean {
  if (head.exclusive || head.vramMib === null) return false;
  let needMib = head.vramMib + DEFAULT_LIMITS.memoryMarginMib;
  for (let i = from; i < residents.length; i++) {
    const { exclusive, vramMib } = residents[i]!;
    if (exclusive || vramMib === null) return false;
    needMib += vramMib;
  }
  return needMib <= roomMib;
}

function endsInS({ pausedBy, remaining }: RunningJob): number {
  return pausedBy !== null || remaining === null ? Number.POSITIVE_INFINITY : remaining.p50S;
}

/** Whether the head can still start at the shadow time if the job starts there now. */
function leavesInTime(plan: Plan, job: WaitingJob, deviceIds: readonly string[], head: WaitingJob): boolean {
  // Who asks for devices and who asks for none are not in each other's way.
  if (head.gpus === 0 || deviceIds.length === 0) return (head.gpus === 0) !== (deviceIds.length === 0);
  const { shadowS, freeInS: free, extra, kept } = plan;
  if (shadowS === Number.POSITIVE_INFINITY) return !deviceIds.some((id) => kept.has(id));
  // Work that is spread over fewer devices than asked for takes longer.
  const endsS = ((job.remaining?.p50S ?? Number.POSITIVE_INFINITY) * job.gpus) / deviceIds.length;
  if (endsS <= shadowS) return true;
  let takes = 0;
  for (const id of deviceIds) if ((free.get(id) ?? Number.POSITIVE_INFINITY) <= shadowS) takes++;
  return takes <= extra;
}
