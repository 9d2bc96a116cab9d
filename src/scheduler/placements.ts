import type { Veto } from '../domain/decision.ts';
import { blockedBecause, startsLaterThan } from './blocked.ts';
import {
  type DeviceState,
  type Fit,
  fitOn,
  freeMib,
  isQuiet,
  type Machine,
  machineOf,
  type Need,
} from './machine.ts';
import type { ShieldLimits, Snapshot } from './snapshot.ts';

/** Most placements that one job is offered. A cap per job, never per queue, so that no job is invisible. */
export const MAX_PLACEMENTS = 4;

/** Where a job could start. */
export interface Offer {
  /**
   * Device ids in ascending index, alone before sharing (with our jobs or others' processes), best fit first; at least one. When there are vetoes:
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
  const order = placementOrder(machine, limits);
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

/** Classes of like devices, each ascending by index: the quiet ones first, then the fullest, so best fit first. */
function placementOrder(machine: Machine, limits: ShieldLimits): DeviceState[] {
  const classes = [...Map.groupBy(machine.states, ({ likeness }) => likeness).values()].map((members) => {
    const first = members[0] as DeviceState;
    return { members, taken: isQuiet(first) ? 0 : 1, freeMib: freeMib(first, limits) };
  });
  classes.sort((a, b) => a.taken - b.taken || a.freeMib - b.freeMib);
  return classes.flatMap(({ members }) => members);
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
 * Sets of `size` devices: one beginning at each class of like devices, and the last `size` of all. Of like
 * devices those with the lowest index are taken.
 * @param open at least `size` devices, in placement order.
 */
function windows(open: readonly DeviceState[], size: number): DeviceState[][] {
  const starts: number[] = [];
  for (let i = 0; i < open.length; i++) if (open[i]?.likeness !== open[i - 1]?.likeness) starts.push(i);
  const last = open.length - size;
  const whole = starts.filter((start) => start <= last);
  const sets = whole.map((start) => open.slice(start, start + size));
  const classFrom = whole.at(-1) ?? 0;
  const classTo = starts[whole.length];
  if (classTo !== undefined && classFrom < last) {
    // The last set begins amid a class: take that class's share from its front.
    sets.push([...open.slice(classFrom, classFrom + classTo - last), ...open.slice(classTo)]);
  }
  return sets;
}

/** At most MAX_PLACEMENTS, alone before sharing; when both exist, each is represented. */
function choose(sets: readonly DeviceState[][]): DeviceState[][] {
  const isAlone = (set: DeviceState[]): boolean => set.every(isQuiet);
  const alone = sets.filter(isAlone);
  const sharing = sets.filter((set) => !isAlone(set));
  const first = alone.slice(0, MAX_PLACEMENTS - (sharing.length > 0 ? 1 : 0));
  return [...first, ...sharing.slice(0, MAX_PLACEMENTS - first.length)];
}

/** From what would fit soonest to what never does. */
const CLOSENESS: readonly Fit[] = ['alone', 'shared', 'memory', 'held', 'foreign', 'health', 'small'];

function closest(order: readonly DeviceState[], need: Need, limits: ShieldLimits): string[] {
  const fit = order.map((state) => fitOn(state, need, limits));
  return idsOf(CLOSENESS.flatMap((kind) => order.filter((_, i) => fit[i] === kind)).slice(0, need.gpus));
}

function idsOf(set: readonly DeviceState[]): string[] {
  return set.toSorted((a, b) => a.device.index - b.device.index).map((state) => state.device.id);
}
