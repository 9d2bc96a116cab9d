import type { RunningJob, ShieldLimits, Snapshot, SnapshotDevice, WaitingJob } from './snapshot.ts';

/**
 * Share of a device's memory that others may hold while a job of unknown need still counts as alone on it: a
 * desktop's X server and compositor stay below this, another training run does not.
 */
const MOST_FOREIGN_SHARE = 0.1;

/** Foreign memory that differs by less than this makes no difference to a placement. MiB. */
const FOREIGN_STEP_MIB = 128;

/** What a job asks of each of its devices. */
export type Need = Pick<WaitingJob, 'gpus' | 'vramMib' | 'exclusive'>;

/** A device with the jobs that hold it, whether they run, are starting, paused or stopping. */
export interface DeviceState {
  readonly device: SnapshotDevice;
  readonly residents: readonly RunningJob[];
  /** Sum of what the residents declared. MiB. */
  readonly declaredMib: number;
  /** Residents that compute: all but those that gave way. */
  readonly active: number;
  /** True when a resident shares with nobody: it is exclusive and has not given way, or declared no memory. */
  readonly closed: boolean;
  /** Devices of one class are equal to a scheduler: the same memory, the same held, the same residents' shape. */
  readonly likeness: string;
}

/** The devices of a snapshot with who is on them. */
export interface Machine {
  /** Ascending by index. */
  readonly states: readonly DeviceState[];
  readonly byId: ReadonlyMap<string, DeviceState>;
  readonly cpuSlots: number;
  /** CPU-only jobs that may still start. */
  readonly freeCpuSlots: number;
}

/** Groups the running jobs of a snapshot by device. O(devices + running). */
export function machineOf(snapshot: Snapshot): Machine {
  const residents = new Map<string, RunningJob[]>(snapshot.devices.map(({ id }) => [id, []]));
  let cpuJobs = 0;
  for (const job of snapshot.running) {
    if (job.gpus === 0) cpuJobs++;
    for (const id of job.deviceIds) residents.get(id)?.push(job);
  }
  const states = snapshot.devices
    .map((device) => stateOf(device, residents.get(device.id) ?? []))
    .sort((a, b) => a.device.index - b.device.index);
  return {
    states,
    byId: new Map(states.map((state) => [state.device.id, state])),
    cpuSlots: snapshot.cpuSlots,
    freeCpuSlots: Math.max(0, snapshot.cpuSlots - cpuJobs),
  };
}

/**
 * How a job stands to a device: `alone` and `shared` fit now. Otherwise what is in the way: `health` (it cannot
 * be read), `small` (it never has enough), `foreign` (others' processes hold too much), `held` (its residents
 * and this job cannot share), `memory` (they could, but it does not fit beside them), `owner` (somebody sits at it),
 * `closed` (a rule of the owner's).
 */
export type Fit =
  | 'alone'
  | 'shared'
  | 'held'
  | 'memory'
  | 'foreign'
  | 'owner'
  | 'closed'
  | 'small'
  | 'health';

/** Whether a job with this need could start on the device now, and if not, why. */
export function fitOn(state: DeviceState, need: Need, limits: ShieldLimits): Fit {
  const drained = drainedFit(state.device, need, limits);
  if (drained !== 'alone' || state.residents.length === 0) return drained;
  if (state.active >= limits.mostPerDevice) return 'held';
  if (state.closed || need.vramMib === null || (need.exclusive && state.active > 0)) return 'held';
  if (need.vramMib > freeMib(state, limits)) return 'memory';
  return state.active > 0 ? 'shared' : 'alone';
}

/** The same once our own jobs have left the device: `alone`, or what remains in the way. */
export function drainedFit(
  device: SnapshotDevice,
  need: Need,
  limits: ShieldLimits,
): Extract<Fit, 'alone' | 'foreign' | 'owner' | 'closed' | 'small' | 'health'> {
  const { foreignMib, memoryTotalMib } = device;
  if (!device.usable || foreignMib === null) return 'health';
  const small = need.vramMib !== null && need.vramMib > memoryTotalMib;
  if (device.ownerPresent) return small ? 'small' : 'owner';
  if (device.closed !== undefined) return small ? 'small' : 'closed';
  if (device.foreign?.avoid) return small ? 'small' : 'foreign';
  if (need.vramMib === null) {
    return foreignIsLarge(device) ? 'foreign' : 'alone';
  }
  if (need.vramMib > memoryTotalMib) return 'small';
  const margin = foreignMib > 0 ? limits.memoryMarginMib : 0;
  return foreignMib + need.vramMib + margin > memoryTotalMib ? 'foreign' : 'alone';
}

/** Memory that one more job may declare on the device; the margin is kept free beside anybody else. MiB. */
export function freeMib(state: DeviceState, limits: ShieldLimits): number {
  const { device, declaredMib, residents } = state;
  const foreignMib = device.foreignMib ?? device.memoryTotalMib;
  const margin = residents.length > 0 || foreignMib > 0 ? limits.memoryMarginMib : 0;
  return Math.max(0, device.memoryTotalMib - foreignMib - declaredMib - margin);
}

/** True when nobody computes there: none of our jobs (but such as gave way), and no more than a desktop's share of memory held by others. */
export function isQuiet(state: DeviceState): boolean {
  return state.active === 0 && !foreignIsLarge(state.device);
}

/** Expected seconds until all residents have left: 0 when empty, Infinity when one is paused or unknown. */
export function drainS(state: DeviceState): number {
  let longest = 0;
  for (const job of state.residents) {
    const remaining =
      job.pausedBy !== null || job.remaining === null ? Number.POSITIVE_INFINITY : job.remaining.p50S;
    longest = Math.max(longest, remaining);
  }
  return longest;
}

/** False for a job that gave way: it holds memory and nothing else. */
export function isActive(job: Pick<RunningJob, 'pausedBy'>): boolean {
  return job.pausedBy !== 'scheduler';
}

function foreignIsLarge({ foreignMib, memoryTotalMib, foreign }: SnapshotDevice): boolean {
  return foreignMib === null || foreignMib - (foreign?.ignoredMib ?? 0) > MOST_FOREIGN_SHARE * memoryTotalMib;
}

const EMPTY_LIKENESS = new WeakMap<SnapshotDevice, string>();

/** Of the device without residents; remembered, since most devices are the same object in many snapshots. */
function emptyLikeness(device: SnapshotDevice): string {
  let likeness = EMPTY_LIKENESS.get(device);
  if (likeness === undefined) {
    const held = device.foreignMib === null ? '?' : Math.ceil(device.foreignMib / FOREIGN_STEP_MIB);
    const rules = `${device.ownerPresent ? 'o' : ''}${device.closed ? 'c' : ''}${device.foreign?.avoid ? 'a' : ''}`;
    const ignored = Math.ceil((device.foreign?.ignoredMib ?? 0) / FOREIGN_STEP_MIB);
    // A device that is kept for somebody at some time is like no other.
    const kept = device.reservations?.length ? `${device.id}/` : '';
    likeness = `${rules}${device.memoryTotalMib}/${held}/${ignored > 0 ? `${ignored}i/` : ''}${kept}`;
    EMPTY_LIKENESS.set(device, likeness);
  }
  return likeness;
}

function stateOf(device: SnapshotDevice, residents: readonly RunningJob[]): DeviceState {
  let declaredMib = 0;
  let active = 0;
  let closed = false;
  for (const job of residents) {
    const computes = isActive(job);
    declaredMib += job.vramMib ?? 0;
    active += computes ? 1 : 0;
    closed ||= (job.exclusive && computes) || job.vramMib === null;
  }
  const shape =
    residents.length === 0
      ? ''
      : residents
          .map((job) => `${job.gpus}×${job.vramMib ?? '?'}${isActive(job) ? '' : '‖'}`)
          .sort()
          .join('+');
  return {
    device,
    residents,
    declaredMib,
    active,
    closed,
    likeness: `${emptyLikeness(device)}${shape}`,
  };
}
