import type { Action, Veto } from '../domain/decision.ts';
import { drainedFit, drainS, fitOn, isActive } from './machine.ts';
import { type Barred, fitting, type Offer, type Placer, placerOf, type Reservation } from './placements.ts';
import type { Halt, RunningJob, ShieldLimits, Snapshot, WaitingJob } from './snapshot.ts';

/**
 * The rules that are not learned, applied to one snapshot.
 *
 * - Fit: memory, health of devices, free devices and CPU slots.
 * - Starvation: a job that has waited longer than `starvationAgeS` goes first. The oldest such that fits must be
 *   launched now. The oldest that does not fit has the devices that are free soonest kept for it (one
 *   reservation at a time, as in EASY backfilling: Lifka 1995, "The ANL/IBM SP scheduling system").
 * - Deadlines: a job that must start now to be over in time stands as if it had starved since then.
 * - Owner's order: nobody behind a job that a person moved starts before it while it fits. A person wins against
 *   starvation too: who was moved ahead of a starving job goes before it.
 * - The owner's rules: halts (quiet hours, a full disk) keep jobs from starting anywhere; a device that is reserved
 *   takes no job that is not known to be gone by then, and in that time only its user's.
 * - Giving way: only jobs that can go on from a checkpoint are preempted, not too often and not right after a start;
 *   what a person paused is left alone. While somebody is leaving, nobody else is told to: for whom there will be room
 *   shows only then.
 */
export interface Shield {
  readonly limits: ShieldLimits;
  readonly placer: Placer;
  /** Empty when waiting is allowed. It always is unless some launch is allowed and starvation forces it. */
  readonly waitVetoes: readonly Veto[];
  /** The job that must be launched now; null when none. */
  readonly forcedJobId: number | null;
  /** The starving job for whose sake that is: the same, or one behind it that a person moved it ahead of. */
  readonly starvingJobId: number | null;
  /** Where the job at `index` of `snapshot.waiting` may start; with vetoes, why it may not. */
  judge(job: WaitingJob, index: number): Offer;
  /** What may be done to a job that holds devices; null: it is to be left alone. */
  mayChange(job: RunningJob): Action | null;
}

/** Applies the rules to a snapshot. O(waiting · log waiting + needs × devices). */
export function shieldOf(snapshot: Snapshot, limits: ShieldLimits): Shield {
  const placer = placerOf(snapshot, limits);
  const { waiting } = snapshot;
  const starvation = starvationOf(snapshot, limits, placer);
  const { keeper } = starvation;

  const barredFor = barrierOf(snapshot);
  const offerTo = (job: WaitingJob, index: number): Offer => {
    const offer = offerSizes(
      placer,
      job,
      keeper && bindsTo(keeper, job, index) ? keeper.reservation : null,
      barredFor(job),
    );
    const halt = offer.fits ? haltOf(snapshot, job) : null;
    return halt === null
      ? offer
      : { fits: false, placements: offer.placements.slice(0, 1), vetoes: [haltVeto(halt)] };
  };
  const lead = waiting.findIndex((job, index) => job.moved && offerTo(job, index).fits);
  const forced =
    starvation.forced !== null && lead >= 0 && lead < starvation.forced ? lead : starvation.forced;

  const idAt = (index: number | null): number | null =>
    index === null ? null : (waiting[index]?.id ?? null);
  const behindLead: readonly Veto[] =
    lead < 0 ? [] : [{ rule: 'owner-order', reason: `behind #${waiting[lead]?.id}, which you moved` }];
  const behindForced: readonly Veto[] =
    starvation.forced === null
      ? []
      : [firstInLine(waiting[starvation.forced] as WaitingJob, snapshot, limits)];
  const somebodyLeaves = snapshot.running.some(({ leaving }) => leaving);
  return {
    limits,
    placer,
    waitVetoes: behindForced,
    forcedJobId: idAt(forced),
    starvingJobId: idAt(starvation.forced),
    judge(job, index) {
      const offer = offerTo(job, index);
      if (!offer.fits) return offer;
      const vetoes: Veto[] = [];
      if (lead >= 0 && index > lead) vetoes.push(...behindLead);
      if (forced !== null && index !== forced && index !== starvation.forced) vetoes.push(...behindForced);
      return vetoes.length === 0 ? offer : { fits: false, placements: offer.placements.slice(0, 1), vetoes };
    },
    mayChange(job) {
      // Who must be launched now is launched first.
      if (forced !== null || somebodyLeaves || job.pausedBy === 'person') return null;
      // Nothing is taken back at the instant at which it was done.
      if (job.changedAtMs === snapshot.nowMs) return null;
      if (job.pausedBy === 'scheduler')
        return mayGoOn(job, placer, limits) ? { kind: 'resume', jobId: job.id } : null;
      if (snapshot.nowMs - job.changedAtMs < 1000 * limits.minSpellS) return null;
      if (job.restartable) {
        return job.preemptions < limits.maxPreemptions ? { kind: 'preempt', jobId: job.id } : null;
      }
      if (!limits.mayPause || job.deviceIds.some((id) => keeper?.reservation.deviceIds.has(id))) return null;
      return { kind: 'pause', jobId: job.id };
    },
  };
}

/**
 * Placements of a job at the size that it asks for, then, if it is elastic, at smaller and larger ones that fit now.
 * Where none does: why not even the smallest.
 */
function offerSizes(
  placer: Placer,
  job: WaitingJob,
  reservation: Reservation | null,
  barred: Barred | null,
): Offer {
  const { minGpus, maxGpus, vramMib, exclusive } = job;
  const asked = placer.offer(job, reservation, barred);
  if (minGpus === maxGpus) return asked;
  const placements = asked.fits ? [...asked.placements] : [];
  let smallest = asked;
  for (let gpus = job.gpus - 1; gpus >= minGpus; gpus--) {
    smallest = placer.offer({ gpus, vramMib, exclusive }, reservation, barred);
    if (smallest.fits) placements.push(smallest.placements[0]!);
  }
  if (placements.length === 0) return smallest;
  for (let gpus = job.gpus + 1; gpus <= maxGpus; gpus++) {
    const larger = placer.offer({ gpus, vramMib, exclusive }, reservation, barred);
    if (!larger.fits) break;
    placements.push(larger.placements[0]!);
  }
  return fitting(placements);
}

/** A job that gave way goes on where its devices compute for nobody else, or for such as share with it. */
function mayGoOn(job: RunningJob, placer: Placer, limits: ShieldLimits): boolean {
  return job.deviceIds.every((id) => {
    const state = placer.machine.byId.get(id);
    if (state === undefined || state.device.ownerPresent || state.device.closed !== undefined) return false;
    if (state.active === 0) return true;
    return (
      state.active < limits.mostPerDevice &&
      !job.exclusive &&
      !state.residents.some((other) => other.exclusive && isActive(other))
    );
  });
}

/** From when on a job goes first, whatever the policy thinks: it has waited too long, or has a deadline to meet. */
const dueMs = (job: WaitingJob, limits: ShieldLimits): number =>
  Math.min(job.waitingSinceMs + limits.starvationAgeS * 1000, job.urgentSinceMs ?? Number.POSITIVE_INFINITY);

/** Whether it is for its deadline that a job goes first. */
export const isUrgent = (job: WaitingJob, snapshot: Pick<Snapshot, 'nowMs'>, limits: ShieldLimits): boolean =>
  job.urgentSinceMs !== null &&
  job.urgentSinceMs < snapshot.nowMs &&
  dueMs(job, limits) === job.urgentSinceMs;

function firstInLine(job: WaitingJob, snapshot: Snapshot, limits: ShieldLimits): Veto {
  return isUrgent(job, snapshot, limits)
    ? { rule: 'deadline', reason: `#${job.id} has a deadline to meet and goes first` }
    : { rule: 'starvation', reason: `#${job.id} has waited longest and goes first` };
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
  const due = (i: number): number => dueMs(waiting[i] as WaitingJob, limits);
  const starving: number[] = [];
  for (let i = 0; i < waiting.length; i++) if (due(i) < snapshot.nowMs) starving.push(i);
  starving.sort((a, b) => due(a) - due(b) || a - b);
  const barredFor = barrierOf(snapshot);
  let keeper: Keeper | null = null;
  for (const index of starving) {
    const job = waiting[index] as WaitingJob;
    const binding = keeper && bindsTo(keeper, job, index) ? keeper.reservation : null;
    // One that may start nowhere is neither forced nor kept anything for.
    if (haltOf(snapshot, job) !== null) continue;
    const barred = barredFor(job);
    if (offerSizes(placer, job, binding, barred).fits) return { forced: index, keeper };
    keeper ??= keepFor(job, index, isUrgent(job, snapshot, limits), limits, placer, barred);
  }
  return { forced: null, keeper };
}

/**
 * Keeps for a job the devices that will be free for it soonest. null when no draining of ours would help it:
 * then keeping devices idle would be for nothing.
 */
function keepFor(
  job: WaitingJob,
  index: number,
  urgent: boolean,
  limits: ShieldLimits,
  placer: Placer,
  barred: Barred | null,
): Keeper | null {
  if (job.gpus === 0) return null;
  const soonest = placer.machine.states
    .filter((state) => drainedFit(state.device, job, limits) === 'alone' && !barred?.has(state.device.id))
    .map((state) => ({
      id: state.device.id,
      freeInS: fitOn(state, job, limits) === 'shared' ? 0 : drainS(state),
    }))
    // Subtracting infinities gives NaN; equal times keep the order of the devices.
    .sort((a, b) => (a.freeInS === b.freeInS ? 0 : a.freeInS - b.freeInS))
    .slice(0, job.gpus);
  if (soonest.length < job.gpus) return null;
  return { index, reservation: { jobId: job.id, urgent, deviceIds: new Set(soonest.map(({ id }) => id)) } };
}

/** What keeps a job from starting anywhere; null: nothing. */
function haltOf({ halts }: Snapshot, job: WaitingJob): Halt | null {
  if (halts === undefined) return null;
  const holds = ({ exceptPriority, gpusOnly }: Halt): boolean =>
    !(gpusOnly && job.gpus === 0) && (exceptPriority === null || job.priority < exceptPriority);
  return halts.find(holds) ?? null;
}

const haltVeto = ({ rule, reason }: Halt): Veto => ({ rule, reason });

/**
 * For a waiting job the devices that it is not to start on: those beside the ones that a person keeps it to, and those that
 * the owner reserved, unless it is the user's for whom: while the reservation lasts, and before, where at least half of such
 * jobs would still run when it begins. One of which nothing is known may start before.
 */
function barrierOf({ devices, nowMs }: Snapshot): (job: WaitingJob) => Barred | null {
  const reserved = devices.filter(({ reservations }) => (reservations?.length ?? 0) > 0);
  return (job) => {
    const { pinnedTo } = job;
    if (reserved.length === 0 && pinnedTo === undefined) return null;
    const barred = new Map<string, string>();
    if (pinnedTo !== undefined) {
      const reason = pinnedReason(pinnedTo, devices);
      for (const { id } of devices) if (!pinnedTo.includes(id)) barred.set(id, reason);
    }
    const endMs = nowMs + 1000 * (job.remaining?.p50S ?? 0);
    for (const { id, reservations } of reserved) {
      const inTheWay = reservations?.find(
        ({ fromMs, toMs, user }) => user !== job.user && toMs > nowMs && fromMs <= endMs,
      );
      if (inTheWay !== undefined) {
        const late = inTheWay.fromMs > nowMs ? ', and it would not have ended before' : '';
        barred.set(id, `${inTheWay.reason}${late}`);
      }
    }
    return barred.size === 0 ? null : barred;
  };
}

/** `you keep it to GPU 1`; a device that is not there any more is called by its id. */
function pinnedReason(pinnedTo: readonly string[], devices: Snapshot['devices']): string {
  const names = pinnedTo.map((id) => devices.find((device) => device.id === id)?.index ?? id);
  return `not for it, you keep it to GPU${names.length === 1 ? '' : 's'} ${names.join(', ')}`;
}
