import type { Policy } from '../policy.ts';
import type { RunningJob, Snapshot } from '../snapshot.ts';
import { type ByStopCost, byStopCost } from './byStopCost.ts';
import { type Competitor, competing, isComputing } from './competition.ts';

export interface TiresiasConfig {
  /** Between the two queues. GPU-seconds. */
  readonly thresholdGpuS: number;
  /** The paper's PROMOTEKNOB: who has waited so many times as long as it ran starts over in the first queue. */
  readonly promote: number;
}

/** The first threshold is that of the simulator which the authors published; the others are our choice. */
export const TIRESIAS: ByStopCost<TiresiasConfig> = {
  free: { thresholdGpuS: 3250, promote: 32 },
  costly: { thresholdGpuS: 10_000, promote: 32 },
};

/**
 * Discretised two-dimensional least attained service (Gu et al., "Tiresias", NSDI 2019, section 3.2): two queues by
 * attained GPU-seconds, the first goes first, and within a queue first come, first served, so that jobs change places
 * only when they cross the threshold. Who has waited `promote` times as long as it ran goes back to the first queue.
 *
 * Ours: there it may double its service, where the paper grants as much as the threshold: to jobs that run for days that
 * is a turn of minutes, and thousands of them. And the paper counts both times anew after each promotion, where they are
 * totals since the submission here, which needs no memory: the more it ran, the more waiting is asked for. Time between
 * queue and restart, and pauses, count as waiting. Looked at exactly when somebody crosses or is promoted.
 */
export function tiresiasWith(config: TiresiasConfig): Policy {
  return competing({
    name: 'tiresias',
    key: (job, { nowMs }) => queueOf(job, nowMs, config),
    reviewAfterS: (snapshot) => reviewAfterS(snapshot, config),
  });
}

export const tiresias: Policy = byStopCost(TIRESIAS, tiresiasWith);

/** 0 or 1. */
function queueOf(job: Competitor, nowMs: number, config: TiresiasConfig): number {
  if (job.attainedGpuS < config.thresholdGpuS || isPromoted(job, job.attainedGpuS, nowMs, config)) return 0;
  if (!isComputing(job)) return 1;
  const spellGpuS = spellOf(job, nowMs);
  const before = job.attainedGpuS - spellGpuS;
  return spellGpuS < grantOf(before, config) && isPromoted(job, before, job.changedAtMs, config) ? 0 : 1;
}

/** Whether it had waited long enough at that time, with so much service attained by then. */
function isPromoted(job: Competitor, attainedGpuS: number, atMs: number, config: TiresiasConfig): boolean {
  return promotedInS(job, attainedGpuS, atMs, config) <= 0;
}

/** Seconds that it would still have to wait. */
function promotedInS(
  job: Competitor,
  attainedGpuS: number,
  atMs: number,
  { promote }: TiresiasConfig,
): number {
  const ranS = attainedGpuS / Math.max(1, job.gpus);
  const waitedS = (atMs - job.submittedAtMs) / 1000 - ranS;
  return promote * ranS - waitedS;
}

function reviewAfterS({ nowMs, waiting, running }: Snapshot, config: TiresiasConfig): number {
  const { thresholdGpuS } = config;
  let soonestS = Number.POSITIVE_INFINITY;
  const crosses = (inS: number): void => {
    if (inS > 0 && inS < soonestS) soonestS = inS;
  };
  for (const job of running) {
    if (job.pausedBy !== null) crosses(promotedInS(job, job.attainedGpuS, nowMs, config));
    else if (job.deviceIds.length > 0) {
      crosses((thresholdGpuS - job.attainedGpuS) / job.deviceIds.length);
      if (job.attainedGpuS >= thresholdGpuS && queueOf(job, nowMs, config) === 0)
        crosses(grantLeft(job, nowMs, config) / job.deviceIds.length);
    }
  }
  for (const job of waiting) {
    if (job.attainedGpuS >= thresholdGpuS) crosses(promotedInS(job, job.attainedGpuS, nowMs, config));
  }
  return soonestS;
}

/** Service that a promotion is worth to who had so much before it. GPU-seconds. */
function grantOf(beforeGpuS: number, { thresholdGpuS }: TiresiasConfig): number {
  return Math.max(thresholdGpuS, beforeGpuS);
}

function grantLeft(job: RunningJob, nowMs: number, config: TiresiasConfig): number {
  const spellGpuS = spellOf(job, nowMs);
  return grantOf(job.attainedGpuS - spellGpuS, config) - spellGpuS;
}

/** Service since it last began to compute. GPU-seconds. */
function spellOf({ changedAtMs, deviceIds }: RunningJob, nowMs: number): number {
  return (deviceIds.length * (nowMs - changedAtMs)) / 1000;
}
