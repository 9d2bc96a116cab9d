import type { Action } from '../../domain/decision.ts';
import { priorityWeight } from '../../domain/reward.ts';
import { type Belief, beliefsOf } from '../belief.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Place } from './places.ts';
import { isRunning, type Job, type Setting } from './setting.ts';

/** A job that runs or waits, in the plan. */
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

/** What all jobs are worth where completion is no goal: an end in an hour. */
const RATE = 1 / 3600;

/** All jobs of a snapshot, those of the highest density first. */
export function entrantsOf(snapshot: Snapshot, candidates: readonly Action[], config: Setting): Entrant[] {
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
