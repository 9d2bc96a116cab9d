import type { Veto } from '../domain/decision.ts';
import { blockedBecause, startsLaterThan } from './blocked.ts';
import { type DeviceState, type Fit, fitOn, freeMib, type Machine, machineOf, type Need } from './machine.ts';
import type { ShieldLimits, Snapshot } from './snapshot.ts';

/** Most placements that one job is offered. A cap per job, never per queue, so that no job is invisible. */
export const MAX_PLACEMENTS = 4;

/** Where a job could start. */
export interface Offer {
  /**
   * Device ids in ascending index, alone before sharing, best fit first; at least one. When there are vetoes:
   * just the one that comes closest.
   */
  readonly placements: readonly (readonly string[])[];
  /** Empty when the placements fit now. */
  readonly vetoes: readonly Veto[];
}

/** Devices that are kept for a job that has waited too long. */
export interface Reservation {
  readonly jobId: number;
  readonly deviceIds: ReadonlySet<string>;
}

/** Finds placements on one snapshot; jobs with the same need share the work. */
export interface Placer {
  readonly machine: Machine;
  /** What fits by memory, health and free devices alone, outside the reservation if there is one. */
  offer(need: Need, reservation: Reservation | null): Offer;
}

/** A placer for this snapshot. At most one reservation may be used with it. */
export function placerOf(snapshot: Snapshot, limits: ShieldLimits): Placer {
  const machine = machineOf(snapshot);
  // Empty devices first, then the fullest: what fits earliest in this order fits best.
  const order = machine.states.toSorted(
    (a, b) =>
      Math.min(1, a.residents.length) - Math.min(1, b.residents.length) ||
      freeMib(a, limits) - freeMib(b, limits) ||
      a.device.index - b.device.index,
  );
  const known = new Map<number, Offer>();
  return {
    machine,
    offer(need, reservation) {
      const key = keyOf(need, reservation !== null);
      let offer = known.get(key);
      if (offer === undefined) {
        offer = makeOffer(machine, order, need, reservation, limits);
        known.set(key, offer);
      }
      return offer;
    },
  };
}

/** One number per kind of need: `gpus` is at most 64. */
function keyOf(need: Need, reserved: boolean): number {
  const flags = (need.exclusive ? 2 : 0) + (reserved ? 1 : 0);
  return ((need.vramMib ?? -1) + 1) * 512 + need.gpus * 4 + flags;
}

function makeOffer(
  machine: Machine,
  order: readonly DeviceState[],
  need: Need,
  reservation: Reservation | null,
  limits: ShieldLimits,
): Offer {
  if (need.gpus === 0) {
    return {
      placements: [[]],
      vetoes: machine.freeCpuSlots > 0 ? [] : blockedBecause(machine, need, limits),
    };
  }
  const fitting = order.filter((state) => fits(fitOn(state, need, limits)));
  if (fitting.length < need.gpus) {
    return { placements: [closest(order, need, limits)], vetoes: blockedBecause(machine, need, limits) };
  }
  const open = reservation ? fitting.filter((state) => !reservation.deviceIds.has(state.device.id)) : fitting;
  if (reservation && open.length < need.gpus) {
    const kept = machine.states.filter((state) => reservation.deviceIds.has(state.device.id));
    return {
      placements: [idsOf(fitting.slice(0, need.gpus))],
      vetoes: [startsLaterThan(reservation.jobId, kept)],
    };
  }
  return { placements: choose(windows(open, need.gpus)).map(idsOf), vetoes: [] };
}

const fits = (fit: Fit): boolean => fit === 'alone' || fit === 'shared';

/**
 * Sets of `size` devices: one beginning at each class of like devices, in order. Of like devices those with the
 * lowest index are taken.
 */
function windows(open: readonly DeviceState[], size: number): DeviceState[][] {
  const classes = new Map<string, DeviceState[]>();
  for (const state of open) {
    const members = classes.get(state.likeness);
    if (members) members.push(state);
    else classes.set(state.likeness, [state]);
  }
  for (const members of classes.values()) members.sort((a, b) => a.device.index - b.device.index);
  const inOrder = [...classes.values()].flat();
  const starts = new Set<number>();
  let start = 0;
  for (const members of classes.values()) {
    starts.add(Math.min(start, inOrder.length - size));
    start += members.length;
  }
  return [...starts].map((from) => lowest(inOrder.slice(from, from + size), classes));
}

/** The same number of devices of each class, those with the lowest indices. */
function lowest(set: readonly DeviceState[], classes: ReadonlyMap<string, DeviceState[]>): DeviceState[] {
  const counts = new Map<string, number>();
  for (const { likeness } of set) counts.set(likeness, (counts.get(likeness) ?? 0) + 1);
  return [...counts].flatMap(([likeness, count]) => classes.get(likeness)?.slice(0, count) ?? []);
}

/** At most MAX_PLACEMENTS, alone before sharing; when both exist, each is represented. */
function choose(sets: readonly DeviceState[][]): DeviceState[][] {
  const isAlone = (set: DeviceState[]): boolean => set.every((state) => state.residents.length === 0);
  const alone = sets.filter(isAlone);
  const sharing = sets.filter((set) => !isAlone(set));
  const first = alone.slice(0, MAX_PLACEMENTS - (sharing.length > 0 ? 1 : 0));
  return [...first, ...sharing.slice(0, MAX_PLACEMENTS - first.length)];
}

const CLOSENESS: readonly Fit[] = ['alone', 'shared', 'memory', 'held', 'foreign', 'health', 'small'];

function closest(order: readonly DeviceState[], need: Need, limits: ShieldLimits): string[] {
  const distance = (state: DeviceState): number => CLOSENESS.indexOf(fitOn(state, need, limits));
  return idsOf(order.toSorted((a, b) => distance(a) - distance(b)).slice(0, need.gpus));
}

function idsOf(set: readonly DeviceState[]): string[] {
  return set.toSorted((a, b) => a.device.index - b.device.index).map((state) => state.device.id);
}
