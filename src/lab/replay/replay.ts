import { FieldError } from '../../domain/errors.ts';
import type { PastJob } from '../../domain/pastJob.ts';
import { isBandit } from '../../domain/policyNames.ts';
import { LAB_POLICY_NAMES, labPolicy } from '../../scheduler/policies/heuristics.ts';
import type { Policy } from '../../scheduler/policy.ts';
import { policyMaker, policyNames } from '../policies.ts';
import type { Progress } from '../pool.ts';
import { type Recording, recordingOf } from './record.ts';
import { recordedOrder } from './recordedOrder.ts';
import { replayLimits } from './replayLimits.ts';
import { asItWas, type ReplayedJobs, type ReplayRun, replayUnder } from './replayRun.ts';
import { type ReplayTrust, replayTrust } from './replayTrust.ts';
import { fitsMachine } from './replayWorld.ts';

export interface ReplayOptions {
  /** Every job that is over and was in the system within the period. */
  readonly history: readonly PastJob[];
  readonly arrived: (job: PastJob) => boolean;
  /** Jobs of the period that are not over. */
  readonly notOver: number;
  /** The machine's own, in its order. */
  readonly devices: readonly { readonly id: string; readonly memoryTotalMib: number }[];
  /** Another number of devices than it has. */
  readonly gpus?: number;
  readonly policies: readonly string[];
  /** Where the learned policy's weights lie. */
  readonly weightsPath: string;
  /** Of the chance in policies. */
  readonly seed: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Replay extends ReplayedJobs {
  readonly gpus: number;
  /** How many of the jobs each policy started. */
  readonly inCharge: Readonly<Record<string, number>>;
  /** null: the machine is no longer the one that could run any of the jobs. */
  readonly trust: ReplayTrust | null;
  readonly happened: ReplayRun;
  /** In the order in which they were asked for. */
  readonly runs: readonly ReplayRun[];
  /** What the replay cannot know, in sentences. */
  readonly limits: readonly string[];
}

/**
 * Replays recorded arrivals under other policies, on this machine's devices. First what was done, as a measure of how
 * far the rest can be trusted.
 * @returns null when no job of the period ran on a GPU.
 * @throws {FieldError} naming the option: an unknown policy, a machine without devices or too small for every job.
 */
export async function replay(options: ReplayOptions): Promise<Replay | null> {
  const { history, arrived, devices, seed, onProgress } = options;
  const names = policyNames(options.policies);
  const make = await policyMaker(names, options.weightsPath);
  const recording = recordingOf(history, arrived);
  if (recording.jobs.length === 0) return null;
  const { startS } = recording;
  const own = { devicesMib: devices.map(({ memoryTotalMib }) => memoryTotalMib), startS };
  const machine = { devicesMib: resized(own.devicesMib, options.gpus), startS };
  const replayed = fitting(machine.devicesMib, recording);
  if (replayed.jobs.length === 0) {
    const remedy = 'give more: each of the jobs asks for more of them, or for more memory';
    throw new FieldError('gpus', machine.devicesMib.length, remedy);
  }

  const inCharge = policiesInCharge(recording);
  const deviceIds = devices.map(({ id }) => id);
  const then = fitting(own.devicesMib, recording);
  const trust =
    then.jobs.length === 0 ? null : replayTrust(whatWasDone(inCharge, recording), then, deviceIds, own, seed);
  const told = (done: number): void =>
    onProgress?.({ done, total: names.length + 1, fraction: done / (names.length + 1) });
  told(1);
  const happened = asItWas(replayed, deviceIds);
  const policies = names.map((name) => make(name));
  const runs = policies.map((policy, i) => {
    const run = replayUnder(policy, replayed, machine, happened, seed);
    told(i + 2);
    return run;
  });
  const preempts = policies.some((policy) => policy.preempts === true);
  const limits = replayLimits({ recording, replayed, notOver: options.notOver, machine, preempts });
  return { ...replayed, gpus: machine.devicesMib.length, inCharge, trust, happened, runs, limits };
}

function resized(devicesMib: readonly number[], gpus: number | undefined): readonly number[] {
  const last = devicesMib.at(-1);
  if (last === undefined)
    throw new FieldError('devices', 0, 'replay on a machine with GPUs, or virtual ones');
  return gpus === undefined ? devicesMib : Array.from({ length: gpus }, (_, i) => devicesMib[i] ?? last);
}

/** What of the record an empty machine of these devices could run. */
function fitting(devicesMib: readonly number[], { jobs: all, originMs }: Recording): ReplayedJobs {
  const jobs = all.filter((job) => fitsMachine(job, devicesMib));
  return { jobs, originMs, rejected: all.length - jobs.length };
}

function policiesInCharge({ jobs }: Recording): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { policy } of jobs) counts[policy ?? 'unknown'] = (counts[policy ?? 'unknown'] ?? 0) + 1;
  return counts;
}

/**
 * The policy that was in charge, if it was one alone that decides the same again. The learned one does not, for
 * it has learned since and some of its choices were chance, nor do the bandits and `random`.
 */
function whatWasDone(inCharge: Readonly<Record<string, number>>, recording: Recording): Policy {
  const [name, ...others] = Object.keys(inCharge);
  const known = LAB_POLICY_NAMES.find((one) => one === name);
  return known !== undefined && known !== 'random' && !isBandit(known) && others.length === 0
    ? labPolicy(known)
    : recordedOrder(recording.jobs, recording.originMs);
}
