import { FULL_GOAL, type GoalWeights } from '../../domain/reward.ts';
import { pairKey, type RunningJob, type Snapshot, type WaitingJob } from '../snapshot.ts';
import type { PlanConfig } from './config.ts';

export type Job = WaitingJob | RunningJob;

export const isRunning = (job: Job): job is RunningJob => 'deviceIds' in job;

/** With what the machine has shown. */
export interface Setting extends PlanConfig {
  /** How fast paired jobs are against the rule. */
  readonly level: number;
  /** Jobs that wait for each device. */
  readonly crowd: number;
  /** Least gain of throughput for which jobs share now. */
  readonly least: number;
  /** What a user's jobs count. */
  readonly favour: ReadonlyMap<string, number>;
  readonly goals: GoalWeights;
  /** How much energy counts, 0 to 1: at 1 nothing is done sooner that would take more of it. */
  readonly thrift: number;
  readonly nowMs: number;
  readonly interference: Snapshot['interference'];
}

export function settingOf(snapshot: Snapshot, config: PlanConfig): Omit<Setting, keyof PlanConfig> {
  const crowd = snapshot.waiting.length / Math.max(1, snapshot.devices.length);
  const { goals, serviceByUser } = snapshot;
  const thrift = goals.energy / FULL_GOAL;
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
    least:
      ((1 - thrift) * config.leastGain * 4 ** (0.5 - goals.utilisation)) / (1 + config.crowdGain * crowd),
    thrift,
    favour,
    goals,
    nowMs: snapshot.nowMs,
    interference: snapshot.interference,
  };
}

/** Speed of each of two jobs on a device: by a rule of their utilisations, and what sharing turned out to cost here. */
export function pairSpeed(a: Job, b: Job, { pairBase, pairSlope, interference, level }: Setting): number {
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
