import { drainedFit } from '../machine.ts';
import type { RunningJob, Snapshot, SnapshotDevice, WaitingJob } from '../snapshot.ts';
import { DEFAULT_LIMITS } from '../snapshot.ts';
import type { Entrant } from './entrants.ts';
import { isRunning, type Job, pairSpeed, type Setting } from './setting.ts';

const MARGIN_MIB = 256;

/** A device in the plan. */
export interface Place {
  readonly device: SnapshotDevice;
  readonly open: boolean;
  /** Who is planned to compute there. */
  readonly planned: Entrant[];
  /** Memory that is spoken for, and by how many. */
  heldMib: number;
  residents: number;
  closed: boolean;
  /** Who computes there now and may be asked to give way. */
  movable: number;
  /** How many stand still there. */
  standing: number;
}

/** The devices of a snapshot, with nobody planned there. */
export function placesOf(snapshot: Snapshot): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const device of snapshot.devices) {
    const foreignMib = device.foreignMib ?? 0;
    places.set(device.id, {
      device,
      open: device.usable && !device.ownerPresent && device.foreignMib !== null,
      planned: [],
      heldMib: foreignMib + (foreignMib > 0 ? MARGIN_MIB : 0),
      residents: 0,
      closed: false,
      movable: 0,
      standing: 0,
    });
  }
  return places;
}

/** Gives everybody a place in the order of the entrants, as long as there are such. */
export function plan(entrants: readonly Entrant[], places: Map<string, Place>, config: Setting): void {
  // Who is to be left alone keeps its devices; who stands still keeps its memory.
  for (const entrant of entrants) {
    const { job, fixed, kind } = entrant;
    if (!isRunning(job)) continue;
    if (fixed) settle(entrant, job.deviceIds, places);
    else if (job.pausedBy !== null || kind === 'pause') hold(job, places);
    if (kind === 'preempt' || kind === 'pause') {
      for (const id of job.deviceIds) {
        const place = places.get(id);
        if (place !== undefined) place.movable++;
      }
    }
  }
  for (const entrant of entrants) {
    const { job } = entrant;
    if (entrant.wins) continue;
    if (isRunning(job)) {
      if (job.deviceIds.length === 0 || staysWorth(entrant, job, places, config)) {
        const holds = job.pausedBy === null && entrant.kind !== 'pause';
        settle(entrant, job.deviceIds, places, holds);
      }
    } else if (entrant.option >= 0 || entrant.kind === null) {
      findPlace(entrant, job, places, config);
    }
  }
}

function hold(job: RunningJob, places: Map<string, Place>): void {
  for (const id of job.deviceIds) {
    const place = places.get(id);
    if (place === undefined) continue;
    place.heldMib += (job.vramMib ?? place.device.memoryTotalMib) + MARGIN_MIB;
    place.residents++;
    if (job.pausedBy !== null) place.standing++;
    if (job.vramMib === null) place.closed = true;
  }
}

function settle(
  entrant: Entrant,
  deviceIds: readonly string[],
  places: Map<string, Place>,
  holds = true,
): void {
  entrant.wins = true;
  for (const id of deviceIds) {
    const place = places.get(id);
    if (place === undefined) continue;
    place.planned.push(entrant);
    entrant.places.push(place);
    if (holds) {
      place.heldMib += (entrant.job.vramMib ?? place.device.memoryTotalMib) + MARGIN_MIB;
      place.residents++;
    }
    if (entrant.job.vramMib === null || entrant.job.exclusive) place.closed = true;
  }
}

const MOST_PER_DEVICE = 2;

/** Net worth of a job beside who is planned on a place; the place's own speed for it. */
function beside(entrant: Entrant, place: Place, config: Setting): { speed: number; loss: number } {
  if (place.planned.length === 0) return { speed: 1, loss: 0 };
  let speed = 1;
  let loss = 0;
  for (const other of place.planned) {
    const pair = pairSpeed(entrant.job, other.job, config);
    speed *= pair;
    loss += weightOf(other, entrant, config) * (1 - pair);
  }
  return { speed, loss };
}

/**
 * How much a second of another's counts in seconds of one's own: as much, since it delays whoever waits behind; but less
 * where one would be over long before another that is there to stay.
 */
export function weightOf(other: Entrant, one: Entrant, { leastWeight }: Setting): number {
  return Math.max(leastWeight, Math.min(1, other.belief.index / one.belief.index));
}

function staysWorth(entrant: Entrant, job: RunningJob, places: Map<string, Place>, config: Setting): boolean {
  let speed = 1;
  let loss = 0;
  for (const id of job.deviceIds) {
    const place = places.get(id);
    if (place === undefined) continue;
    if (job.pausedBy === 'scheduler' && !place.open) return false;
    if (place.planned.length > 0) {
      if (place.closed || job.exclusive || job.vramMib === null) return false;
      if (place.planned.length >= MOST_PER_DEVICE) return false;
    }
    if (job.pausedBy === null && entrant.kind === 'preempt' && place.planned.length > 0) {
      if (place.heldMib + job.vramMib! > place.device.memoryTotalMib) return false;
    }
    const next = beside(entrant, place, config);
    speed = Math.min(speed, next.speed);
    loss += next.loss;
  }
  return loss === 0 || speed - loss >= config.least;
}

function findPlace(entrant: Entrant, job: WaitingJob, places: Map<string, Place>, config: Setting): void {
  const options: { place: Place; speed: number; loss: number }[] = [];
  for (const place of places.values()) {
    const { device, planned } = place;
    if (!place.open || !mayUse(job, device, config.nowMs)) continue;
    if (drainedFit(device, job, DEFAULT_LIMITS) !== 'alone') continue;
    if (planned.length > 0) {
      if (job.exclusive || planned.length >= MOST_PER_DEVICE) continue;
    }
    if (place.closed || (job.vramMib === null && place.residents > 0)) continue;
    if (place.heldMib + (job.vramMib ?? 0) > device.memoryTotalMib) continue;
    const { speed, loss } = beside(entrant, place, config);
    if (loss > 0 && speed - loss < config.least) continue;
    options.push({ place, speed, loss: loss + config.standingLoss * place.standing });
  }
  const size = config.shrinks > 0 && job.minGpus < job.gpus ? job.minGpus : job.gpus;
  if (options.length < size) return;
  options.sort((a, b) => b.speed - b.loss - (a.speed - a.loss));
  const chosen = options.slice(0, size);
  // Who may not start though nobody could make room for it is kept away by a rule: no place is kept for it.
  if (entrant.option < 0 && !chosen.some(({ place }) => place.movable > 0)) return;
  settle(
    entrant,
    chosen.map(({ place }) => place.device.id),
    places,
  );
}

/** Whether people let a job start on a device: it is not kept for another user now, and the job is not for other devices. */
export function mayUse(
  { user, pinnedTo }: Pick<Job, 'user' | 'pinnedTo'>,
  { id, reservations = [] }: SnapshotDevice,
  nowMs: number,
): boolean {
  if (pinnedTo !== undefined && !pinnedTo.includes(id)) return false;
  return !reservations.some((kept) => kept.user !== user && kept.fromMs <= nowMs && nowMs < kept.toMs);
}
