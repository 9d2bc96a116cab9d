import type { Action } from '../domain/decision.ts';
import { jain } from '../domain/reward.ts';
import { loadOf } from './load.ts';
import { type DeviceState, type Machine, machineOf } from './machine.ts';
import { PLAN_FEATURES, writePlanFeatures } from './planFeatures.ts';
import type { Snapshot, TimeSpread, WaitingJob } from './snapshot.ts';

/** Of the job that the candidate would launch; all 0 for `wait`. */
const JOB_FEATURES = [
  'launch',
  'cpuOnly',
  'gpusOfMachine',
  'vramUnknown',
  'exclusive',
  'waited',
  'remainingKnown',
  'remainingP10',
  'remainingP50',
  'remainingP90',
  'work',
  'overShortest',
  'slowdown',
  'ofOldestWait',
  'priority',
  'rankPercentile',
  'moved',
  'userShare',
  'userExcess',
] as const;

/** Of the devices that it would take. `idleLeft` is of the machine after the launch, and so set for `wait` too. */
const PLACEMENT_FEATURES = [
  'alone',
  'vramOfDevice',
  'freeAfterMean',
  'freeAfterLeast',
  'foreign',
  'residents',
  'residentsRemainingKnown',
  'residentsRemaining',
  'residentsProgressKnown',
  'residentsProgress',
  'utilisationKnown',
  'utilisation',
  'idleUsed',
  'idleLeft',
] as const;

/** Of everything else: the same in every row of one decision. */
const GLOBAL_FEATURES = [
  'waitingJobs',
  'runningJobs',
  'idleDevices',
  'usableDevices',
  'waitingDemand',
  'runningRemainingKnown',
  'runningRemainingMean',
  'runningRemainingLeast',
  'oldestWait',
  'shortestKnown',
  'shortestWaiting',
  'jobsThatFit',
  'memoryHeld',
  'unfairness',
  'goalCompletion',
  'goalUtilisation',
  'goalFairness',
] as const;

/** Names of the columns, in order. Weights that were trained belong to this list: changing it makes them void. */
export const FEATURE_NAMES: readonly string[] = [
  ...JOB_FEATURES,
  ...PLACEMENT_FEATURES,
  ...GLOBAL_FEATURES,
  ...PLAN_FEATURES,
];
export const FEATURE_COUNT = FEATURE_NAMES.length;

const PLACEMENT_AT = JOB_FEATURES.length;
const GLOBAL_AT = PLACEMENT_AT + PLACEMENT_FEATURES.length;
const PLAN_AT = GLOBAL_AT + GLOBAL_FEATURES.length;
/** Nothing is larger, so that one odd job does not drown the rest. */
const LARGEST = 3;
/** Longer times are all the same: thirty years. Keeps an endless prediction finite. */
const LONGEST_S = 1e9;
/** Resident jobs on a device that count as one. */
const RESIDENTS_SCALE = 4;
/** Jobs that count as one in `waitingJobs`, `runningJobs` and `jobsThatFit` (log). */
const JOBS_SCALE = 100;
/** Priority at which the squashed value is a half. */
const PRIORITY_SCALE = 10;

/**
 * One row of features per action, row-major: `actions.length × FEATURE_COUNT`. Every value is finite and within
 * [−1, 3]; times are logarithmic with one day at 1; what is unknown is 0 beside a 0 in its `…Known` column.
 * Actions must come from the same snapshot. Launches of one job should stand together, as candidates do.
 */
export function featuresOf(snapshot: Snapshot, actions: readonly Action[]): Float32Array {
  const context = contextOf(snapshot, actions);
  const out = new Float32Array(actions.length * FEATURE_COUNT);
  let lastJobId: number | null = null;
  actions.forEach((action, row) => {
    const at = row * FEATURE_COUNT;
    out.set(context.globals, at + GLOBAL_AT);
    if (action.kind !== 'launch') {
      out[at + PLACEMENT_AT + PLACEMENT_FEATURES.length - 1] = context.idleShare;
      return;
    }
    const entry = context.jobs.get(action.jobId);
    if (entry === undefined) return;
    if (action.jobId === lastJobId) {
      out.copyWithin(at, at - FEATURE_COUNT, at - FEATURE_COUNT + PLACEMENT_AT);
    } else {
      writeJob(out, at, entry.job, entry.index, context);
    }
    lastJobId = action.jobId;
    writePlacement(out, at + PLACEMENT_AT, entry.job, action.deviceIds, context);
  });
  writePlanFeatures(out, snapshot, actions, { offset: PLAN_AT, stride: FEATURE_COUNT });
  for (let i = 0; i < out.length; i++) out[i] = Math.min(LARGEST, Math.max(-1, out[i] as number));
  return out;
}

interface Context {
  readonly snapshot: Snapshot;
  readonly jobs: ReadonlyMap<number, { readonly job: WaitingJob; readonly index: number }>;
  readonly devices: ReadonlyMap<string, DeviceTraits>;
  readonly deviceCount: number;
  readonly idle: number;
  readonly idleShare: number;
  readonly service: number;
  readonly users: number;
  readonly oldestS: number;
  readonly shortestS: number | null;
  readonly globals: Float32Array;
}

/** What a placement needs to know of a device, worked out once. */
interface DeviceTraits {
  readonly totalMib: number;
  readonly freeShare: number;
  readonly foreignShare: number;
  readonly residents: number;
  readonly utilisation: number | null;
  /** log time until the last resident whose remaining time is known ends. */
  readonly remaining: number | null;
  readonly progress: number | null;
}

function contextOf(snapshot: Snapshot, actions: readonly Action[]): Context {
  const machine = machineOf(snapshot);
  const jobs = new Map(snapshot.waiting.map((job, index) => [job.id, { job, index }]));
  const load = loadOf(snapshot);
  const deviceCount = Math.max(1, load.devices);
  let oldestS = 0;
  let shortestS: number | null = null;
  for (const job of snapshot.waiting) {
    oldestS = Math.max(oldestS, waitedS(job, snapshot));
    if (job.remaining) shortestS = Math.min(shortestS ?? Number.POSITIVE_INFINITY, job.remaining.p50S);
  }
  const running = remainingOf(snapshot.running);
  const fitting = new Set<number>();
  for (const action of actions) if (action.kind === 'launch') fitting.add(action.jobId);
  const globals = Float32Array.of(
    logJobs(load.waiting),
    logJobs(load.running),
    load.idleDevices / deviceCount,
    usable(machine) / deviceCount,
    Math.log2(1 + load.waitingGpus / deviceCount) / 4,
    snapshot.running.length === 0 ? 0 : running.known / snapshot.running.length,
    logTime(running.meanS),
    logTime(running.leastS),
    logTime(oldestS),
    shortestS === null ? 0 : 1,
    logTime(shortestS ?? 0),
    logJobs(fitting.size),
    memoryHeld(machine),
    1 - jain(load.serviceByUser),
    snapshot.goals.completion,
    snapshot.goals.utilisation,
    snapshot.goals.fairness,
  );
  return {
    snapshot,
    jobs,
    devices: new Map(machine.states.map((state) => [state.device.id, traitsOf(state)])),
    deviceCount,
    idle: load.idleDevices,
    idleShare: load.idleDevices / deviceCount,
    service: load.serviceByUser.reduce((sum, s) => sum + s, 0),
    users: Math.max(1, load.serviceByUser.length),
    oldestS,
    shortestS,
    globals,
  };
}

function writeJob(out: Float32Array, at: number, job: WaitingJob, index: number, context: Context): void {
  const { snapshot } = context;
  const waited = waitedS(job, snapshot);
  const spread: TimeSpread | null = job.remaining;
  const p50S = Math.max(1, spread?.p50S ?? 1);
  const served = snapshot.serviceByUser[job.user] ?? 0;
  const share = context.service > 0 ? served / context.service : 0;
  let i = at;
  out[i++] = 1;
  out[i++] = job.gpus === 0 ? 1 : 0;
  out[i++] = job.gpus / context.deviceCount;
  out[i++] = job.vramMib === null && job.gpus > 0 ? 1 : 0;
  out[i++] = job.exclusive ? 1 : 0;
  out[i++] = logTime(waited);
  out[i++] = spread ? 1 : 0;
  out[i++] = spread ? logTime(spread.p10S) : 0;
  out[i++] = spread ? logTime(spread.p50S) : 0;
  out[i++] = spread ? logTime(spread.p90S) : 0;
  out[i++] = spread ? logTime(spread.p50S * Math.max(1, job.gpus)) : 0;
  out[i++] = spread ? logTime(spread.p50S) - logTime(context.shortestS ?? 0) : 0;
  // ln of the slowdown so far, (waited + run) / run, with a hundredfold at 1.
  out[i++] = spread ? Math.log1p(waited / p50S) / Math.log(100) : 0;
  out[i++] = context.oldestS > 0 ? waited / context.oldestS : 0;
  out[i++] = job.priority / (PRIORITY_SCALE + Math.abs(job.priority));
  out[i++] = index / snapshot.waiting.length;
  out[i++] = job.moved ? 1 : 0;
  out[i++] = share;
  out[i++] = context.service > 0 ? share - 1 / context.users : 0;
}

function writePlacement(
  out: Float32Array,
  at: number,
  job: WaitingJob,
  deviceIds: readonly string[],
  context: Context,
): void {
  let residents = 0;
  let idleUsed = 0;
  let vram = 0;
  let freeMean = 0;
  let freeLeast = 1;
  let foreign = 0;
  let remaining = 0;
  let remainingKnown = 0;
  let progress = 0;
  let progressKnown = 0;
  let utilisation = 0;
  let utilisationKnown = 0;
  let n = 0;
  for (const id of deviceIds) {
    const device = context.devices.get(id);
    if (device === undefined) continue;
    n++;
    // A job of unknown need is given the whole device.
    const needs = job.vramMib === null ? device.freeShare : job.vramMib / device.totalMib;
    const free = Math.max(0, device.freeShare - needs);
    if (job.vramMib !== null) vram = Math.max(vram, needs);
    freeMean += free;
    freeLeast = Math.min(freeLeast, free);
    foreign += device.foreignShare;
    residents += device.residents;
    if (device.residents === 0) idleUsed++;
    if (device.remaining !== null) {
      remaining += device.remaining;
      remainingKnown++;
    }
    if (device.progress !== null) {
      progress += device.progress;
      progressKnown++;
    }
    if (device.utilisation !== null) {
      utilisation += device.utilisation;
      utilisationKnown++;
    }
  }
  const mean = (sum: number, count: number): number => (count === 0 ? 0 : sum / count);
  let i = at;
  out[i++] = residents === 0 ? 1 : 0;
  out[i++] = vram;
  out[i++] = mean(freeMean, n);
  out[i++] = n === 0 ? 0 : freeLeast;
  out[i++] = mean(foreign, n);
  out[i++] = mean(residents, n) / RESIDENTS_SCALE;
  out[i++] = mean(remainingKnown, n);
  out[i++] = mean(remaining, remainingKnown);
  out[i++] = mean(progressKnown, n);
  out[i++] = mean(progress, progressKnown);
  out[i++] = mean(utilisationKnown, n);
  out[i++] = mean(utilisation, utilisationKnown);
  out[i++] = mean(idleUsed, context.idle);
  out[i++] = Math.max(0, context.idle - idleUsed) / context.deviceCount;
}

function traitsOf(state: DeviceState): DeviceTraits {
  const { device, residents, declaredMib, closed } = state;
  const { memoryTotalMib } = device;
  const foreignMib = device.foreignMib ?? memoryTotalMib;
  const free = closed ? 0 : Math.max(0, memoryTotalMib - foreignMib - declaredMib);
  let progress = 0;
  let progressKnown = 0;
  let longestS: number | null = null;
  for (const job of residents) {
    if (job.progress !== null) {
      progress += job.progress;
      progressKnown++;
    }
    if (job.remaining) longestS = Math.max(longestS ?? 0, job.remaining.p50S);
  }
  return {
    totalMib: memoryTotalMib,
    foreignShare: memoryTotalMib > 0 ? foreignMib / memoryTotalMib : 0,
    freeShare: memoryTotalMib > 0 ? free / memoryTotalMib : 0,
    residents: residents.length,
    utilisation: device.utilisation,
    remaining: longestS === null ? null : logTime(longestS),
    progress: progressKnown === 0 ? null : progress / progressKnown,
  };
}

/** 0 s → 0, a minute → 0.36, an hour → 0.72, a day → 1, a month → 1.3. */
function logTime(seconds: number): number {
  return Math.log1p(Math.min(LONGEST_S, Math.max(0, seconds))) / Math.log1p(86_400);
}

const logJobs = (count: number): number => Math.log1p(count) / Math.log1p(JOBS_SCALE);

const waitedS = (job: WaitingJob, snapshot: Snapshot): number =>
  Math.max(0, (snapshot.nowMs - job.waitingSinceMs) / 1000);

function usable(machine: Machine): number {
  return machine.states.filter(({ device }) => device.usable && device.foreignMib !== null).length;
}

function remainingOf(jobs: Snapshot['running']): { known: number; meanS: number; leastS: number } {
  let known = 0;
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const { remaining } of jobs) {
    if (remaining === null) continue;
    known++;
    sum += remaining.p50S;
    least = Math.min(least, remaining.p50S);
  }
  return known === 0 ? { known, meanS: 0, leastS: 0 } : { known, meanS: sum / known, leastS: least };
}

/** Share of the machine's memory that is spoken for; a device with a resident that shares with nobody, wholly. */
function memoryHeld(machine: Machine): number {
  let held = 0;
  let total = 0;
  for (const { device, closed, declaredMib } of machine.states) {
    total += device.memoryTotalMib;
    held += closed
      ? device.memoryTotalMib
      : Math.min(device.memoryTotalMib, declaredMib + (device.foreignMib ?? device.memoryTotalMib));
  }
  return total === 0 ? 0 : held / total;
}
