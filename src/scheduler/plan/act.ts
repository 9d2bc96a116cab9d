import type { Action } from '../../domain/decision.ts';
import type { RunningJob, Snapshot } from '../snapshot.ts';
import type { Entrant } from './entrants.ts';
import { bestMove } from './move.ts';
import { type Place, weightOf } from './places.ts';
import { isRunning, pairSpeed, type Setting } from './setting.ts';

/** Who computes where, who is who, and what is planned on each device. */
export interface Planned {
  readonly entrants: readonly Entrant[];
  readonly computing: ReadonlyMap<string, readonly RunningJob[]>;
  readonly byId: ReadonlyMap<number, Entrant>;
  readonly places: ReadonlyMap<string, Place>;
}

/** Who computes on each device now. */
export function computingOn(snapshot: Snapshot): Map<string, RunningJob[]> {
  const computing = new Map<string, RunningJob[]>();
  for (const job of snapshot.running) {
    if (job.pausedBy === 'scheduler') continue;
    for (const id of job.deviceIds) {
      const list = computing.get(id);
      if (list === undefined) computing.set(id, [job]);
      else list.push(job);
    }
  }
  return computing;
}

/** The next candidate towards the plan: its index. */
export function act(
  snapshot: Snapshot,
  candidates: readonly Action[],
  planned: Planned,
  config: Setting,
): number {
  const { entrants, computing, byId } = planned;
  let idle = 0;
  for (const { id, usable, ownerPresent } of snapshot.devices)
    if (usable && !ownerPresent && !computing.has(id)) idle++;
  let needed = 0;
  for (const { wins, job, places } of entrants) if (wins && !isRunning(job)) needed += places.length;
  for (const winner of entrants) {
    if (!winner.wins || (isRunning(winner.job) && winner.job.pausedBy === null)) continue;
    // Whoever holds what it needs and was planned out gives way.
    for (const { device } of winner.places) {
      for (const other of computing.get(device.id) ?? []) {
        const loser = byId.get(other.id)!;
        if (!loser.wins && (loser.kind === 'preempt' || loser.kind === 'pause')) return loser.option;
      }
    }
    if (winner.kind === 'resume') return winner.option;
    if (winner.kind !== 'launch') continue;
    const spare = idle - (needed - winner.places.length);
    const best = bestLaunch(candidates, winner, spare, planned, config);
    if (best >= 0) return best;
  }
  const move = config.moveFactor > 0 ? bestMove(planned, config) : -1;
  if (move >= 0) return move;
  const wait = candidates.findIndex(({ kind }) => kind === 'wait');
  if (wait >= 0 && computing.size > 0) return wait;
  // Nothing computes, or nothing but launches is left: waiting would be for nothing.
  const any = candidates.findIndex(({ kind }) => kind === 'launch' || kind === 'resume');
  return any < 0 ? Math.max(0, wait) : any;
}

/**
 * The best of the placements that a winner is offered; −1: none pays.
 * @param spare devices on which nobody computes and that nobody else is planned for.
 */
function bestLaunch(
  candidates: readonly Action[],
  winner: Entrant,
  spare: number,
  planned: Planned,
  config: Setting,
): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = winner.option; i < candidates.length; i++) {
    const action = candidates[i]!;
    if (action.kind !== 'launch' || action.jobId !== winner.job.id) break;
    const { deviceIds } = action;
    const size = deviceIds.length;
    const { speed, loss } = gainOf(winner, deviceIds, planned, config);
    if (size > winner.places.length && (loss > 0 || size > spare)) continue;
    if (size > winner.job.gpus && config.grows === 0) continue;
    const standing = deviceIds.reduce((sum, id) => sum + (planned.places.get(id)?.standing ?? 0), 0);
    const gain =
      thrifty(speed, size, winner, config) - loss - (config.standingLoss * standing) / Math.max(1, size);
    if ((loss === 0 || gain >= config.least) && gain > most + 1e-9) {
      most = gain;
      best = i;
    }
  }
  return best;
}

/** A speed that several devices give an elastic job: where energy counts, for what it is on each. */
const thrifty = (speed: number, size: number, { job }: Entrant, { thrift }: Setting): number =>
  size > 0 ? speed / (size / Math.max(1, job.gpus)) ** thrift : speed;

/** Expected speed of a launch, and what it takes from who computes there, in jobs at full speed. */
export function gainOf(
  { job }: Entrant,
  deviceIds: readonly string[],
  { computing, byId }: Planned,
  config: Setting,
): { speed: number; loss: number } {
  let speed = 1;
  let loss = 0;
  for (const id of deviceIds) {
    let here = 1;
    for (const other of computing.get(id) ?? []) {
      const pair = pairSpeed(job, other, config);
      here *= pair;
      loss += weightOf(byId.get(other.id)!, byId.get(job.id)!, config) * (1 - pair);
    }
    speed = Math.min(speed, here);
  }
  if (deviceIds.length !== job.gpus && deviceIds.length > 0)
    speed *= (deviceIds.length / Math.max(1, job.gpus)) ** config.elasticExponent;
  return { speed, loss };
}
