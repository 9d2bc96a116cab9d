import type { Veto } from '../domain/decision.ts';
import { blockedBecause, reservedFor, startsLaterThan } from './blocked.ts';
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
  /** Whether the placements fit now. */
  readonly fits: boolean;
  /**
   * Device ids in ascending index, alone before sharing (with our jobs or others' processes), best fit first; at least
   * one. Where none fits: just the one that comes closest.
   */
  readonly placements: readonly (readonly string[])[];
  /** Why none fits; empty when they do. */
  readonly vetoes: readonly Veto[];
}

/** An offer of what fits now. */
export function fitting(placements: readonly (readonly string[])[]): Offer {
  return { fits: true, placements, vetoes: NO_VETOES };
}

const NO_VETOES: readonly Veto[] = [];

/** What is in the way is put into words when somebody asks. */
class Blocked implements Offer {
  readonly fits = false;
  readonly #placement: () => readonly string[];
  readonly #because: () => readonly Veto[];
  #placements: Offer['placements'] | null = null;
  #vetoes: Offer['vetoes'] | null = null;

  constructor(placement: () => readonly string[], because: () => readonly Veto[]) {
    this.#placement = placement;
    this.#because = because;
  }

  get placements(): Offer['placements'] {
    this.#placements ??= [this.#placement()];
    return this.#placements;
  }

  get vetoes(): Offer['vetoes'] {
    this.#vetoes ??= this.#because();
    return this.#vetoes;
  }
}

/** Devices that are kept for a job that has waited too long, or has a deadline to meet. */
export interface Reservation {
  readonly jobId: number;
  /** True: for its deadline. */
  readonly urgent: boolean;
  readonly deviceIds: ReadonlySet<string>;
}

/** Finds placements on one snapshot; jobs with the same need share the work. */
export interface Placer {
  readonly machine: Machine;
  /**
   * What fits by memory, health and free devices alone, outside the reservation if there is one.
   * @param barred devices that the owner keeps from this job, with the reason; null: none.
   */
  offer(need: Need, reservation: Reservation | null, barred: Barred | null): Offer;
}

/** Devices that a job must not start on, by id, with the reason. */
export type Barred = ReadonlyMap<string, string>;

/** A placer for this snapshot. At most one reservation may be used with it. */
export function placerOf(snapshot: Snapshot, limits: ShieldLimits): Placer {
  const machine = machineOf(snapshot);
  const order = placementOrder(machine, limits);
  const known = new Map<number, Offer>();
  return {
    machine,
    offer(need, reservation, barred) {
      // Rare, and different for nearly every job that it is about.
      if (barred !== null) return makeOffer(machine, order, need, reservation, limits, barred);
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
  barred: Barred | null = null,
): Offer {
  if (need.gpus === 0) {
    if (machine.freeCpuSlots > 0) return fitting([[]]);
    return new Blocked(
      () => [],
      () => blockedBecause(machine, need, limits),
    );
  }
  const roomy = order.filter((state) => fits(fitOn(state, need, limits)));
  const able = barred ? roomy.filter((state) => !barred.has(state.device.id)) : roomy;
  if (barred && able.length < need.gpus && roomy.length >= need.gpus) {
    const kept = machine.states.filter((state) => barred.has(state.device.id));
    return new Blocked(
      () => idsOf(roomy.slice(0, need.gpus)),
      () => [reservedFor(kept, barred.get(kept[0]!.device.id)!)],
    );
  }
  if (able.length < need.gpus) {
    return new Blocked(
      () => closest(order, need, limits),
      () => blockedBecause(machine, need, limits),
    );
  }
  const open = reservation ? able.filter((state) => !reservation.deviceIds.has(state.device.id)) : able;
  if (reservation && open.length < need.gpus) {
    const kept = machine.states.filter((state) => reservation.deviceIds.has(state.device.id));
    return new Blocked(
      () => idsOf(able.slice(0, need.gpus)),
      () => [startsLaterThan(reservation, kept)],
    );
  }
  return fitting(choose(windows(open, need.gpus)).map(idsOf));
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
const CLOSENESS: readonly Fit[] = [
  'alone',
  'shared',
  'memory',
  'held',
  'foreign',
  'closed',
  'owner',
  'health',
  'small',
];

function closest(order: readonly DeviceState[], need: Need, limits: ShieldLimits): string[] {
  const fit = order.map((state) => fitOn(state, need, limits));
  return idsOf(CLOSENESS.flatMap((kind) => order.filter((_, i) => fit[i] === kind)).slice(0, need.gpus));
}

function idsOf(set: readonly DeviceState[]): string[] {
  return set.toSorted((a, b) => a.device.index - b.device.index).map((state) => state.device.id);
}
