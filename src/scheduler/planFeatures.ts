import type { Action } from '../domain/decision.ts';
import { type Advice, adviceOf } from './plan/advice.ts';
import type { Snapshot } from './snapshot.ts';

/** What the plan says (see plan/advice.ts): of the candidate, of its job, and, the last two, of the machine. */
export const PLAN_FEATURES = [
  /** 1 for what the plan would do now: the prior of the shipped network. */
  'advised',
  'planned',
  'preempt',
  'pause',
  'resume',
  'beliefRemaining',
  'beliefMedian',
  'beliefSpread',
  'beliefIndex',
  'attained',
  'density',
  'densityOverBest',
  'ofAskedGpus',
  'speed',
  'loss',
  'stopCost',
  'preemptions',
  'crowd',
  'sharingLevel',
] as const;

const GLOBALS = 2;
/** e^20 between densities is as much as it gets. */
const LARGEST_LOG_RATIO = 20;
const MOST_PREEMPTIONS = 5;
/** Jobs that wait for each device, at which the logarithm is 1. */
const CROWD_SCALE = 10;

/** Writes the features of all actions, one row of `stride` after another, from `offset` in each on. */
export function writePlanFeatures(
  out: Float32Array,
  snapshot: Snapshot,
  actions: readonly Action[],
  { offset, stride }: { readonly offset: number; readonly stride: number },
): void {
  const advice = adviceOf(snapshot, actions);
  let best = 0;
  for (const { density } of advice.entrants.values()) if (density > best) best = density;
  const crowd = Math.log1p(snapshot.waiting.length / Math.max(1, snapshot.devices.length));
  actions.forEach((action, row) => {
    const at = row * stride + offset;
    out[at] = row === advice.index ? 1 : 0;
    if (action.kind !== 'wait') writeAction(out, at + 1, action, advice, best);
    const globals = at + PLAN_FEATURES.length - GLOBALS;
    out[globals] = crowd / Math.log1p(CROWD_SCALE);
    out[globals + 1] = advice.level;
  });
}

function writeAction(
  out: Float32Array,
  at: number,
  action: Exclude<Action, { kind: 'wait' }>,
  advice: Advice,
  best: number,
): void {
  const entrant = advice.entrants.get(action.jobId);
  if (entrant === undefined) return;
  const { job, belief, density, wins } = entrant;
  let i = at;
  out[i++] = wins ? 1 : 0;
  out[i++] = action.kind === 'preempt' ? 1 : 0;
  out[i++] = action.kind === 'pause' ? 1 : 0;
  out[i++] = action.kind === 'resume' ? 1 : 0;
  out[i++] = logTime(belief.remainingS);
  out[i++] = logTime(belief.medianS);
  out[i++] = belief.sigma / 3;
  out[i++] = logTime(1 / belief.index);
  out[i++] = logTime(job.attainedGpuS);
  out[i++] = logTime(1 / density);
  out[i++] = best > 0 ? Math.max(-1, Math.log(density / best) / LARGEST_LOG_RATIO) : 0;
  if (action.kind === 'launch') {
    const { speed, loss } = advice.gainOf(action);
    out[i++] = job.gpus === 0 ? 1 : action.deviceIds.length / job.gpus;
    out[i++] = speed;
    out[i++] = loss;
  } else i += 3;
  out[i++] = action.kind === 'preempt' ? logTime(job.stopCostS ?? 0) : 0;
  out[i++] = job.preemptions / MOST_PREEMPTIONS;
}

/** As in features.ts: a day is 1. */
const logTime = (seconds: number): number =>
  Math.log1p(Math.min(1e9, Math.max(0, seconds))) / Math.log1p(86_400);
