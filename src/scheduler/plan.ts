import type { Action } from '../domain/decision.ts';
import type { GoalWeights } from '../domain/reward.ts';
import { priorityWeight } from '../domain/reward.ts';
import { BELIEF, type Belief, type BeliefConfig, beliefsOf } from './belief.ts';
import { drainedFit } from './machine.ts';
import {
  DEFAULT_LIMITS,
  pairKey,
  type RunningJob,
  type Snapshot,
  type SnapshotDevice,
  type WaitingJob,
} from './snapshot.ts';

type Job = WaitingJob | RunningJob;

export interface PlanConfig {
  readonly belief: BeliefConfig;
  /** Density is index / GPUs^this. */
  readonly sizeExponent: number;
  /** How much of the index a quantum ago counts for who runs. */
  readonly hysteresis: number;
  /** Who runs counts so many times as much. */
  readonly headStart: number;
  /** Share of the Gittins index against 1 / E[remaining]. */
  readonly gittinsShare: number;
  /** Factor of what a preemption costs. */
  readonly preemptCost: number;
  /** Seconds that a pause costs: who stands still keeps memory, and goes on only where it is. */
  readonly pauseCostS: number;
  /** And how much of it counts for each other job that waits for a device. */
  readonly costToOthers: number;
  /** Of pair speeds: speed = base − slope · max(0, Σ utilisation − 1). */
  readonly pairBase: number;
  readonly pairSlope: number;
  /** A share must gain at least so much throughput, in jobs at full speed, where nobody else waits. */
  readonly leastGain: number;
  /** And the less the more wait for each device. */
  readonly crowdGain: number;
  /** Paired seconds that the rule counts as, and the mean speed that it expects. */
  readonly pairPriorS: number;
  readonly pairMean: number;
  readonly elasticExponent: number;
  /** Priority counts to this power of its weight in the reward. */
  readonly priority: number;
  /** Power of a user's share of service, times the goal's square: a slight wish changes little, a strong one decides. */
  readonly fairness: number;
  readonly shrinks: number;
  readonly grows: number;
  /** Looks again after this share of the least attained time of who runs. */
  readonly reviewShare: number;
  readonly reviewLeastS: number;
  /** And so many times later for who is that much ahead of who waits, at most. */
  readonly mostAhead: number;
}

export const PLAN: PlanConfig = {
  belief: BELIEF,
  sizeExponent: 0.5,
  hysteresis: 1,
  headStart: 1.15,
  gittinsShare: 1,
  preemptCost: 4,
  pauseCostS: 3000,
  costToOthers: 0.3,
  pairBase: 0.95,
  pairSlope: 0.4,
  leastGain: 0.3,
  crowdGain: 1.4,
  pairPriorS: 20_000,
  pairMean: 0.7,
  elasticExponent: 0.8,
  priority: 0.5,
  fairness: 2,
  shrinks: 1,
  grows: 1,
  reviewShare: 0.25,
  reviewLeastS: 60,
  mostAhead: 30,
};

/** With what the machine has shown. */
interface Setting extends PlanConfig {
  /** How fast paired jobs are against the rule. */
  readonly level: number;
  /** Jobs that wait for each device. */
  readonly crowd: number;
  /** Least gain of throughput for which jobs share now. */
  readonly least: number;
  /** What a user's jobs count. */
  readonly favour: ReadonlyMap<string, number>;
  readonly goals: GoalWeights;
  readonly nowMs: number;
  readonly interference: Snapshot['interference'];
}

const isRunning = (job: Job): job is RunningJob => 'deviceIds' in job;

/** A device in the plan. */
interface Place {
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
}

export interface Entrant {
  readonly job: Job;
  readonly belief: Belief;
  /** Worth of running it at full speed, in ends a second, per GPU^exponent. */
  readonly density: number;
  /** Worth of running at full speed. */
  readonly value: number;
  /** Index of its first candidate; −1: it has none. */
  readonly option: number;
  readonly kind: Action['kind'] | null;
  fixed: boolean;
  wins: boolean;
  places: Place[];
}

const MARGIN_MIB = 256;
/** What all jobs are worth where completion is no goal: an end in an hour. */
const RATE = 1 / 3600;

/** What the plan says of the candidates of a decision. */
export interface Advice {
  /** Index of the candidate that it would take. */
  readonly index: number;
  /** By job: what it is believed and worth. */
  readonly entrants: ReadonlyMap<number, Entrant>;
  /** How fast paired jobs are here against the rule. */
  readonly level: number;
  /** Expected speed of a launch and what it takes from others, in jobs at full speed. */
  gainOf(action: Extract<Action, { kind: 'launch' }>): { readonly speed: number; readonly loss: number };
}

/**
 * Plans who runs where, and picks the next candidate towards it.
 *
 * All jobs, running and waiting, are ordered by their density: the Gittins index of what is believed of their run time
 * (the most ends a second that some stretch of running promises), weighed by priority and fairness as the owner's
 * goals say, over GPUs to a power. In that order each takes the best place that is left: where it is, alone, or beside
 * others where that adds enough throughput. Who runs has a head start, since stopping costs what was done since the
 * checkpoint and a restart. Whoever holds what a better one needs gives way.
 *
 * Pure. O(jobs · (devices + beliefs)).
 */
export function adviceOf(
  snapshot: Snapshot,
  candidates: readonly Action[],
  given: PlanConfig = PLAN,
): Advice {
  const config: Setting = { ...given, ...settingOf(snapshot, given) };
  const entrants = entrantsOf(snapshot, candidates, config);
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
    });
  }
  plan(entrants, places, config);
  const computing = computingOn(snapshot);
  const byId = new Map(entrants.map((entrant) => [entrant.job.id, entrant]));
  return {
    index: act(snapshot, candidates, entrants, computing, byId, config),
    entrants: byId,
    level: config.level,
    gainOf: ({ jobId, deviceIds }) => gainOf(byId.get(jobId)!, deviceIds, computing, byId, config),
  };
}

function settingOf(snapshot: Snapshot, config: PlanConfig): Omit<Setting, keyof PlanConfig> {
  const crowd = snapshot.waiting.length / Math.max(1, snapshot.devices.length);
  const { goals, serviceByUser } = snapshot;
  const users = new Set<string>();
  for (const { user } of snapshot.waiting) users.add(user);
  for (const { user } of snapshot.running) users.add(user);
  let service = 0;
  for (const user of users) service += serviceByUser[user] ?? 0;
  const favour = new Map<string, number>();
  for (const user of users) {
    const share = service > 0 ? ((serviceByUser[user] ?? 0) / service) * users.size : 1;
    favour.set(
      user,
      Math.min(8, Math.max(0.125, (share + 0.05) ** (-config.fairness * goals.fairness ** 2))),
    );
  }
  return {
    level: sharingLevel(snapshot, config),
    crowd,
    // A half is what the owner has unless told otherwise.
    least: (config.leastGain * 4 ** (0.5 - goals.utilisation)) / (1 + config.crowdGain * crowd),
    favour,
    goals,
    nowMs: snapshot.nowMs,
    interference: snapshot.interference,
  };
}

/** Who computes on each device now. */
function computingOn(snapshot: Snapshot): Map<string, RunningJob[]> {
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

function entrantsOf(snapshot: Snapshot, candidates: readonly Action[], config: Setting): Entrant[] {
  const beliefs = beliefsOf(snapshot, config.belief);
  const entrants: Entrant[] = [];
  // Launches of one job stand together.
  const options = new Map<number, number>();
  candidates.forEach((action, i) => {
    if (action.kind !== 'wait' && !options.has(action.jobId)) options.set(action.jobId, i);
  });
  for (const jobs of [snapshot.waiting, snapshot.running] as const) {
    for (const job of jobs) {
      const option = options.get(job.id) ?? -1;
      const has = option >= 0;
      const kind = has ? candidates[option]!.kind : null;
      const belief = beliefs.of(job);
      const value = worthOf(job, belief, kind, config);
      const gpus = Math.max(1, isRunning(job) ? job.deviceIds.length : job.gpus);
      entrants.push({
        job,
        belief,
        density: value / gpus ** config.sizeExponent,
        value,
        option,
        kind,
        fixed: isRunning(job) && job.pausedBy !== 'scheduler' && !has,
        wins: false,
        places: [],
      });
    }
  }
  return entrants.sort((a, b) => b.density - a.density || a.job.rank - b.job.rank);
}

function worthOf(job: Job, belief: Belief, kind: Action['kind'] | null, config: Setting): number {
  const { goals, favour, crowd } = config;
  const weight = priorityWeight(job.priority) ** config.priority * (favour.get(job.user) ?? 1);
  const mix = (index: number): number => {
    const rate = config.gittinsShare * index + (1 - config.gittinsShare) / Math.max(1, belief.remainingS);
    // Without the goal of completion nobody goes before others for being short.
    return weight * (goals.completion >= 1 ? rate : RATE * (rate / RATE) ** goals.completion);
  };
  const now = mix(belief.index);
  if (!isRunning(job) || job.pausedBy !== null) return now;
  const kept = mix(belief.index + config.hysteresis * (belief.indexBefore - belief.index)) * config.headStart;
  if (kind !== 'preempt' && kind !== 'pause') return kept;
  const stopS = kind === 'pause' ? config.pauseCostS : config.preemptCost * (job.stopCostS ?? 900);
  const costS = stopS * (1 + config.costToOthers * crowd);
  const leftS = 1 / kept - costS;
  return leftS <= 1 ? 1 : 1 / leftS;
}

function plan(entrants: readonly Entrant[], places: Map<string, Place>, config: Setting): void {
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
    loss += weightOf(other, entrant) * (1 - pair);
  }
  return { speed, loss };
}

/**
 * How much a second of another's counts in seconds of one's own: as much, since it delays whoever waits behind; but less
 * where one would be over long before another that is there to stay.
 */
function weightOf(other: Entrant, one: Entrant): number {
  return Math.min(1, other.belief.index / one.belief.index);
}

/** Speed of each of two jobs on a device: by a rule of their utilisations, and what sharing turned out to cost here. */
function pairSpeed(a: Job, b: Job, { pairBase, pairSlope, interference, level }: Setting): number {
  const measured = a.kind && b.kind ? interference?.[pairKey(a.kind, b.kind)] : undefined;
  if (measured !== undefined) return measured;
  const sum = (a.gpuUtil ?? 0.8) + (b.gpuUtil ?? 0.8);
  return Math.min(1, Math.max(0.1, level * (pairBase - pairSlope * Math.max(0, sum - 1))));
}

/** How fast paired jobs are against the rule on average. */
function sharingLevel({ sharing }: Snapshot, { pairPriorS, pairMean }: PlanConfig): number {
  if (sharing === undefined) return 1;
  return (pairPriorS + sharing.workS / pairMean) / (pairPriorS + sharing.pairedS);
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
    if (!place.open || isKept(device, job.user, config.nowMs)) continue;
    if (drainedFit(device, job, DEFAULT_LIMITS) !== 'alone') continue;
    if (planned.length > 0) {
      if (job.exclusive || planned.length >= MOST_PER_DEVICE) continue;
    }
    if (place.closed || (job.vramMib === null && place.residents > 0)) continue;
    if (place.heldMib + (job.vramMib ?? 0) > device.memoryTotalMib) continue;
    const { speed, loss } = beside(entrant, place, config);
    if (loss > 0 && speed - loss < config.least) continue;
    options.push({ place, speed, loss });
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

/** Whether the owner keeps the device for somebody else now. */
function isKept({ reservations = [] }: SnapshotDevice, user: string, nowMs: number): boolean {
  return reservations.some((kept) => kept.user !== user && kept.fromMs <= nowMs && nowMs < kept.toMs);
}

function act(
  snapshot: Snapshot,
  candidates: readonly Action[],
  entrants: readonly Entrant[],
  computing: ReadonlyMap<string, readonly RunningJob[]>,
  byId: ReadonlyMap<number, Entrant>,
  config: Setting,
): number {
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
    const best = bestLaunch(candidates, winner, spare, computing, byId, config);
    if (best >= 0) return best;
  }
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
  computing: ReadonlyMap<string, readonly RunningJob[]>,
  byId: ReadonlyMap<number, Entrant>,
  config: Setting,
): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = winner.option; i < candidates.length; i++) {
    const action = candidates[i]!;
    if (action.kind !== 'launch' || action.jobId !== winner.job.id) break;
    const { deviceIds } = action;
    const size = deviceIds.length;
    const { speed, loss } = gainOf(winner, deviceIds, computing, byId, config);
    if (size > winner.places.length && (loss > 0 || size > spare)) continue;
    if (size > winner.job.gpus && config.grows === 0) continue;
    const gain = speed - loss;
    if ((loss === 0 || gain >= config.least) && gain > most + 1e-9) {
      most = gain;
      best = i;
    }
  }
  return best;
}

/** Expected speed of a launch, and what it takes from who computes there, in jobs at full speed. */
function gainOf(
  { job }: Entrant,
  deviceIds: readonly string[],
  computing: ReadonlyMap<string, readonly RunningJob[]>,
  byId: ReadonlyMap<number, Entrant>,
  config: Setting,
): { speed: number; loss: number } {
  let speed = 1;
  let loss = 0;
  for (const id of deviceIds) {
    let here = 1;
    for (const other of computing.get(id) ?? []) {
      const pair = pairSpeed(job, other, config);
      here *= pair;
      loss += weightOf(byId.get(other.id)!, byId.get(job.id)!) * (1 - pair);
    }
    speed = Math.min(speed, here);
  }
  if (deviceIds.length !== job.gpus && deviceIds.length > 0)
    speed *= (deviceIds.length / Math.max(1, job.gpus)) ** config.elasticExponent;
  return { speed, loss };
}

/** After how many seconds the plan may be another though nothing happens. */
export function planReviewS(snapshot: Snapshot, config: PlanConfig = PLAN): number {
  const beliefs = beliefsOf(snapshot, config.belief);
  let most = 0;
  for (const job of snapshot.waiting) {
    const density = beliefs.of(job).index / Math.max(1, job.gpus) ** config.sizeExponent;
    if (density > most) most = density;
  }
  let soonestS = Number.POSITIVE_INFINITY;
  for (const job of snapshot.running) {
    if (job.pausedBy !== null || job.deviceIds.length === 0) continue;
    const { index, doneS } = beliefs.of(job);
    const density = index / job.deviceIds.length ** config.sizeExponent;
    const ahead = Math.min(config.mostAhead, Math.max(1, density / most));
    const leastS = Math.max(config.reviewLeastS, config.reviewShare * doneS);
    soonestS = Math.min(soonestS, leastS * ahead);
  }
  return soonestS;
}
