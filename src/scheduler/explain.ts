import type { Action } from '../domain/decision.ts';
import { formatDuration, formatMib } from '../domain/units.ts';
import { gpuNames } from './blocked.ts';
import type { Candidate } from './candidate.ts';
import type { DecisionStep } from './decide.ts';
import type { DeviceState } from './machine.ts';
import { isUrgent, type Shield, shieldOf } from './shield.ts';
import type { RunningJob, ShieldLimits, Snapshot, WaitingJob } from './snapshot.ts';

type Launch = Extract<Action, { kind: 'launch' }>;

/**
 * What was decided and why, in one sentence for people. Says only what the snapshot and the answer show.
 * @param instead who decided when the policy failed; null when it did not.
 */
export function sentenceOf(
  snapshot: Snapshot,
  step: Omit<DecisionStep, 'sentence'>,
  shield: Shield,
  instead: string | null,
): string {
  const what = whatHappened(snapshot, step, shield);
  return step.fallback && instead ? `${what}; ${step.fallback.failed} failed, so ${instead}` : what;
}

/**
 * For every waiting job why it does not run, in a few words. Sentences change only when the situation does, not
 * with the clock. O(waiting + needs × devices).
 * @param unasked why one that may start does not, where that is not for the scheduler to choose; null: it is.
 */
export function waitingReasons(
  snapshot: Snapshot,
  limits: ShieldLimits,
  unasked: (job: WaitingJob) => string | null = () => null,
): Map<number, string> {
  const shield = shieldOf(snapshot, limits);
  const reasons = new Map<number, string>();
  snapshot.waiting.forEach((job, index) => {
    const veto = shield.judge(job, index).vetoes[0];
    reasons.set(
      job.id,
      veto?.reason ??
        unasked(job) ??
        (job.id === shield.forcedJobId
          ? 'starts next: it goes first now'
          : 'fits now: the scheduler has not chosen it yet'),
    );
  });
  return reasons;
}

function whatHappened(snapshot: Snapshot, step: Omit<DecisionStep, 'sentence'>, shield: Shield): string {
  const { chosen } = step;
  switch (chosen.kind) {
    case 'launch':
      return launched(snapshot, chosen, step, shield);
    case 'wait':
      return waited(snapshot, step, shield);
    case 'preempt':
      return `stopped #${chosen.jobId} at its checkpoint ${where(snapshot, chosen.jobId, shield)}; it goes back into the queue`;
    case 'pause':
      return `paused #${chosen.jobId} ${where(snapshot, chosen.jobId, shield)}; it keeps its memory`;
    case 'resume':
      return `let #${chosen.jobId} go on ${where(snapshot, chosen.jobId, shield)}`;
  }
}

function where(snapshot: Snapshot, jobId: number, shield: Shield): string {
  const job = snapshot.running.find(({ id }) => id === jobId) as RunningJob;
  const states = statesOf(job.deviceIds, shield);
  return states.length === 0 ? 'without a GPU' : `on ${gpuNames(states)}`;
}

function launched(
  snapshot: Snapshot,
  action: Launch,
  step: Omit<DecisionStep, 'sentence'>,
  shield: Shield,
): string {
  const job = snapshot.waiting.find(({ id }) => id === action.jobId) as WaitingJob;
  const states = statesOf(action.deviceIds, shield);
  const start = `started #${job.id} ${placeOf(job, states)}`;
  if (shield.forcedJobId === job.id) return `${start}; ${whyForced(snapshot, job, shield)}`;
  if (step.choice?.explored) return `${start}; tried at random, to learn`;
  const passed = passedOver(snapshot, job);
  if (passed === null) return start;
  const veto = shield.judge(passed, snapshot.waiting.indexOf(passed)).vetoes[0];
  const scored = bestScore(step, passed.id) < bestScore(step, job.id) ? ', but was scored lower' : '';
  return `${start}; #${passed.id} waits longer: ${veto?.reason ?? `it could start too${scored}`}`;
}

function waited(snapshot: Snapshot, step: Omit<DecisionStep, 'sentence'>, shield: Shield): string {
  const count = snapshot.waiting.length;
  if (count === 0) return 'started nothing: no job waits';
  const head = step.candidates[0] as Candidate & { action: Launch };
  if (!step.asked) {
    const others = count === 1 ? '' : `: ${count} jobs wait`;
    return `started nothing${others}; #${head.action.jobId}: ${head.vetoes[0]?.reason ?? 'waits'}`;
  }
  const best = bestLaunch(step);
  if (best === null)
    return `started nothing, though running jobs could give way; #${head.action.jobId}: ${head.vetoes[0]?.reason ?? 'waits'}`;
  const on = statesOf(best.deviceIds, shield);
  const could = `started nothing, though #${best.jobId} fits${on.length === 0 ? '' : ` on ${gpuNames(on)}`}`;
  if (step.choice?.explored) return `${could}: waiting was tried at random, to learn`;
  if (bestScore(step, best.jobId) < (step.scores.at(-1) ?? Number.NEGATIVE_INFINITY)) {
    return `${could}: ${step.policyName} scored waiting higher`;
  }
  const blocked = head.vetoes[0];
  return blocked ? `${could}: #${head.action.jobId} is first in the queue: ${blocked.reason}` : could;
}

/** The allowed launch that was scored highest; without scores the first; null when none is allowed. */
function bestLaunch(step: Omit<DecisionStep, 'sentence'>): Launch | null {
  let best: Launch | null = null;
  let highest = Number.NEGATIVE_INFINITY;
  for (const i of step.allowed) {
    const { action } = step.candidates[i] as Candidate;
    if (action.kind !== 'launch') continue;
    const score = step.scores[i] ?? 0;
    if (best !== null && score <= highest) continue;
    best = action;
    highest = score;
  }
  return best;
}

/** The best score of a job's launches; -Infinity where none was scored. */
function bestScore(step: Omit<DecisionStep, 'sentence'>, jobId: number): number {
  let best = Number.NEGATIVE_INFINITY;
  step.allowedActions.forEach((action, i) => {
    if (action.kind !== 'launch' || action.jobId !== jobId) return;
    best = Math.max(best, step.choice?.scores?.[i] ?? Number.NEGATIVE_INFINITY);
  });
  return best;
}

function placeOf(job: WaitingJob, states: readonly DeviceState[]): string {
  if (states.length === 0) return 'without a GPU';
  const on = `on ${gpuNames(states)}`;
  const neighbours = [...new Set(states.flatMap((state) => state.residents.map(({ id }) => `#${id}`)))];
  if (job.vramMib === null || job.exclusive) return `${on}, not shared`;
  const left = Math.min(
    ...states.map(
      ({ device, declaredMib }) =>
        device.memoryTotalMib - (device.foreignMib ?? 0) - declaredMib - (job.vramMib ?? 0),
    ),
  );
  const beside = neighbours.length === 0 ? '' : ` beside ${neighbours.join(', ')}`;
  return `${on}${beside}: ${formatMib(left)} left${states.length > 1 ? ' on the fullest' : ''}`;
}

function whyForced(snapshot: Snapshot, job: WaitingJob, shield: Shield): string {
  const first = snapshot.waiting.find(({ id }) => id === shield.starvingJobId);
  const urgent = first !== undefined && isUrgent(first, snapshot, shield.limits);
  if (first !== job) {
    const because = urgent ? 'has a deadline to meet' : 'has waited longest';
    return `you moved it ahead of #${shield.starvingJobId}, which ${because}`;
  }
  return urgent
    ? 'it would miss its deadline if it waited longer, and goes first'
    : `it has waited ${formatDuration(snapshot.nowMs - job.waitingSinceMs)}, too long, and goes first`;
}

/** The job that has waited longest of those that waited longer than this one; null when this waited longest. */
function passedOver(snapshot: Snapshot, job: WaitingJob): WaitingJob | null {
  let oldest = job;
  for (const other of snapshot.waiting) if (other.waitingSinceMs < oldest.waitingSinceMs) oldest = other;
  return oldest === job ? null : oldest;
}

function statesOf(deviceIds: readonly string[], shield: Shield): DeviceState[] {
  return deviceIds.flatMap((id) => shield.placer.machine.byId.get(id) ?? []);
}
