import type { Veto } from '../domain/decision.ts';
import { drainedFit, drainS, fitOn } from './machine.ts';
import { type Offer, type Placer, placerOf, type Reservation } from './placements.ts';
import type { ShieldLimits, Snapshot, WaitingJob } from './snapshot.ts';

/**
 * The rules that are not learned, applied to one snapshot.
 *
 * - Fit: memory, health of devices, free devices and CPU slots.
 * - Starvation: a job that has waited longer than `starvationAgeS` goes first. The oldest such that fits must be
 *   launched now. The oldest that does not fit has the devices that are free soonest kept for it (one
 *   reservation at a time, as in EASY backfilling: Lifka 1995, "The ANL/IBM SP scheduling system").
 * - Owner's order: nobody behind a job that a person moved starts before it while it fits. A person wins against
 *   starvation too: who was moved ahead of a starving job goes before it.
 */
export interface Shield {
  readonly placer: Placer;
  /** Empty when waiting is allowed. It always is unless some launch is allowed and starvation forces it. */
  readonly waitVetoes: readonly Veto[];
  /** The job that must be launched now; null when none. */
  readonly forcedJobId: number | null;
  /** The starving job for whose sake that is: the same, or one behind it that a person moved it ahead of. */
  readonly starvingJobId: number | null;
  /** Where the job at `index` of `snapshot.waiting` may start; with vetoes, why it may not. */
  judge(job: WaitingJob, index: number): Offer;
}

/** Applies the rules to a snapshot. O(waiting · log waiting + needs × devices). */
export function shieldOf(snapshot: Snapshot, limits: ShieldLimits): Shield {
  const placer = placerOf(snapshot, limits);
  const { waiting } = snapshot;
  const starvation = starvationOf(snapshot, limits, placer);
  const { keeper } = starvation;

  const offerTo = (job: WaitingJob, index: number): Offer =>
    placer.offer(job, keeper && bindsTo(keeper, job, index) ? keeper.reservation : null);
  const lead = waiting.findIndex((job, index) => job.moved && offerTo(job, index).vetoes.length === 0);
  const forced =
    starvation.forced !== null && lead >= 0 && lead < starvation.forced ? lead : starvation.forced;

  const idAt = (index: number | null): number | null =>
    index === null ? null : (waiting[index]?.id ?? null);
  const behindLead: readonly Veto[] =
    lead < 0 ? [] : [{ rule: 'owner-order', reason: `behind #${waiting[lead]?.id}, which you moved` }];
  const behindForced: readonly Veto[] =
    starvation.forced === null
      ? []
      : [
          {
            rule: 'starvation',
            reason: `#${waiting[starvation.forced]?.id} has waited longest and goes first`,
          },
        ];
  return {
    placer,
    waitVetoes: behindForced,
    forcedJobId: idAt(forced),
    starvingJobId: idAt(starvation.forced),
    judge(job, index) {
      const offer = offerTo(job, index);
      if (offer.vetoes.length > 0) return offer;
      const vetoes: Veto[] = [];
      if (lead >= 0 && index > lead) vetoes.push(...behindLead);
      if (forced !== null && index !== forced && index !== starvation.forced) vetoes.push(...behindForced);
      return vetoes.length === 0 ? offer : { placements: offer.placements.slice(0, 1), vetoes };
    },
  };
}

/** A starving job that devices are kept for. */
interface Keeper {
  readonly index: number;
  readonly reservation: Reservation;
}

interface Starvation {
  /** Index of the job that must be launched now. */
  readonly forced: number | null;
  readonly keeper: Keeper | null;
}

/** A reservation binds everybody but its owner and those whom a person moved ahead of it. */
function bindsTo(keeper: Keeper, job: WaitingJob, index: number): boolean {
  return index !== keeper.index && !(job.moved && index < keeper.index);
}

function starvationOf(snapshot: Snapshot, limits: ShieldLimits, placer: Placer): Starvation {
  const { waiting } = snapshot;
  const since = snapshot.nowMs - limits.starvationAgeS * 1000;
  const starving: number[] = [];
  for (let i = 0; i < waiting.length; i++) {
    if ((waiting[i] as WaitingJob).waitingSinceMs < since) starving.push(i);
  }
  const age = (i: number): number => (waiting[i] as WaitingJob).waitingSinceMs;
  starving.sort((a, b) => age(a) - age(b) || a - b);
  let keeper: Keeper | null = null;
  for (const index of starving) {
    const job = waiting[index] as WaitingJob;
    const binding = keeper && bindsTo(keeper, job, index) ? keeper.reservation : null;
    if (placer.offer(job, binding).vetoes.length === 0) return { forced: index, keeper };
    keeper ??= keepFor(job, index, limits, placer);
  }
  return { forced: null, keeper };
}

/**
 * Keeps for a job the devices that will be free for it soonest. null when no draining of ours would help it:
 * then keeping devices idle would be for nothing.
 */
function keepFor(job: WaitingJob, index: number, limits: ShieldLimits, placer: Placer): Keeper | null {
  if (job.gpus === 0) return null;
  const soonest = placer.machine.states
    .filter((state) => drainedFit(state.device, job, limits) === 'alone')
    .map((state) => ({
      id: state.device.id,
      freeInS: fitOn(state, job, limits) === 'shared' ? 0 : drainS(state),
    }))
    // Subtracting infinities gives NaN; equal times keep the order of the devices.
    .sort((a, b) => (a.freeInS === b.freeInS ? 0 : a.freeInS - b.freeInS))
    .slice(0, job.gpus);
  if (soonest.length < job.gpus) return null;
  return { index, reservation: { jobId: job.id, deviceIds: new Set(soonest.map(({ id }) => id)) } };
}
