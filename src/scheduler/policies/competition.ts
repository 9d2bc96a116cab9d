import type { Action } from '../../domain/decision.ts';
import { isActive } from '../machine.ts';
import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import type { RunningJob, Snapshot, WaitingJob } from '../snapshot.ts';
import { chosen } from './fifo.ts';

/** Of a device's memory that is not planned with beside a job that stands still: at least what the shield keeps free. */
const MARGIN_MIB = 1024;

/** A waiting job, or one that holds devices. */
export type Competitor = WaitingJob | RunningJob;

/** What a preemptive policy is made of. */
export interface Competition {
  readonly name: string;
  readonly version?: string;
  readonly clairvoyant?: boolean;
  /** Lower goes first; ties go by rank. */
  key(job: Competitor, snapshot: Snapshot, history: readonly number[]): number;
  reviewAfterS?(snapshot: Snapshot, history: readonly number[]): number;
}

/**
 * A policy under which running and waiting jobs compete for all devices at every decision: in order of their keys, each
 * takes as many devices as it asks for if so many are left, else it is passed over. Who holds devices and was passed
 * over gives way to who waits and was not: by preemption, or by standing still where it cannot be restarted and the
 * shield allows it. Jobs that the shield leaves alone keep their devices before anybody else takes any.
 *
 * It plans with whole devices. What fits beside others when nobody has to give way any more is launched there, in
 * the same order.
 */
export function competing(competition: Competition): Policy {
  const { name, version = '1', clairvoyant = false, reviewAfterS } = competition;
  return {
    name,
    version,
    clairvoyant,
    preempts: true,
    ...(reviewAfterS === undefined ? {} : { reviewAfterS }),
    choose: (input) => choose(input, competition),
  };
}

/** One who competes in a decision. */
interface Entrant {
  readonly job: Competitor;
  readonly key: number;
  readonly rank: number;
  /** Index of its first launch, or of what may be done to it; −1: nothing. */
  readonly option: number;
  readonly kind: Action['kind'] | null;
  /** True when it has devices once everybody has chosen in turn. */
  wins: boolean;
}

function choose(input: PolicyInput, competition: Competition): PolicyChoice {
  const { snapshot, candidates } = input;
  const order = inOrder(input, competition);
  findWinners(order, snapshot);
  for (const winner of order) {
    const { job, wins, option, kind } = winner;
    if (!wins) continue;
    if (kind === 'launch' || kind === 'resume') return chosen(option);
    if (isRunning(job) && job.pausedBy !== 'scheduler') continue;
    // Of those that were passed over and are in its way, the last in order gives way.
    const places = placesOf(job, snapshot, order);
    for (let i = places.size === 0 ? -1 : order.length - 1; i >= 0; i--) {
      const loser = order[i]!;
      if (loser.wins || !isRunning(loser.job)) continue;
      if (loser.kind !== 'preempt' && loser.kind !== 'pause') continue;
      if (loser.job.deviceIds.some((id) => places.has(id))) return chosen(loser.option);
    }
  }
  for (const { option, kind } of order) {
    if (kind === 'launch' || kind === 'resume') return chosen(option);
  }
  return chosen(candidates.length - 1);
}

/** Everybody by key, ties by rank. One pass: candidates stand in the order of both queues, those of a job together. */
function inOrder({ snapshot, candidates, history }: PolicyInput, { key }: Competition): Entrant[] {
  const order: Entrant[] = [];
  let at = 0;
  for (const jobs of [snapshot.waiting, snapshot.running] as const) {
    for (const job of jobs) {
      const action = candidates[at];
      const hasOption = action !== undefined && action.kind !== 'wait' && action.jobId === job.id;
      const option = hasOption ? at : -1;
      if (hasOption) while (isOf(candidates[++at], job.id));
      const kind = hasOption ? action.kind : null;
      order.push({ job, key: key(job, snapshot, history), rank: job.rank, option, kind, wins: false });
    }
  }
  return order.sort((a, b) => a.key - b.key || a.rank - b.rank);
}

function isOf(action: Action | undefined, jobId: number): boolean {
  return action !== undefined && action.kind !== 'wait' && action.jobId === jobId;
}

/** CPU-only jobs always win. */
function findWinners(order: readonly Entrant[], snapshot: Snapshot): void {
  const taken = new Set<string>();
  for (const entrant of order) {
    const { job, option } = entrant;
    if (!isRunning(job) || job.pausedBy === 'scheduler' || option >= 0) continue;
    entrant.wins = true;
    for (const id of job.deviceIds) taken.add(id);
  }
  let free = 0;
  for (const device of snapshot.devices) {
    if (device.usable && !device.ownerPresent && !taken.has(device.id)) free++;
  }
  for (const entrant of order) {
    if (entrant.wins) continue;
    const { job } = entrant;
    const needs = isRunning(job) ? job.deviceIds.length : job.gpus;
    if (needs > free) continue;
    entrant.wins = true;
    free -= needs;
  }
}

/**
 * The devices on which a winner could run if everybody who was passed over gave way; none if they are too few. Those
 * that cannot but stand still keep their memory, so that not all room is room for it.
 */
function placesOf(job: Competitor, snapshot: Snapshot, order: readonly Entrant[]): Set<string> {
  if (isRunning(job)) return new Set(job.deviceIds);
  const places = new Set<string>();
  for (const { id, usable, ownerPresent, foreignMib, memoryTotalMib } of snapshot.devices) {
    if (!usable || ownerPresent || foreignMib === null) continue;
    let heldMib = foreignMib;
    let residents = 0;
    let computes = false;
    for (const { job: other, kind, wins } of order) {
      if (!isRunning(other) || (kind === 'preempt' && !wins) || !other.deviceIds.includes(id)) continue;
      residents++;
      heldMib += other.vramMib ?? memoryTotalMib;
      computes ||= wins && isActive(other);
    }
    if (residents === 0) {
      if ((job.vramMib ?? 0) + foreignMib <= memoryTotalMib) places.add(id);
    } else if (!computes && job.vramMib !== null && heldMib + job.vramMib + MARGIN_MIB <= memoryTotalMib) {
      places.add(id);
    }
  }
  return places.size < job.gpus ? new Set() : places;
}

function isRunning(job: Competitor): job is RunningJob {
  return 'deviceIds' in job;
}

/** True for a job that holds devices and does not stand still. */
export function isComputing(job: Competitor): job is RunningJob {
  return isRunning(job) && job.pausedBy === null;
}
