import type { Action, Decision } from '../domain/decision.ts';
import { ConflictError, messageOf } from '../domain/errors.ts';
import type { Rng } from '../domain/rng.ts';
import type { Candidate } from './candidate.ts';
import { candidatesUnder } from './candidates.ts';
import { sentenceOf } from './explain.ts';
import { FEATURE_COUNT } from './features.ts';
import type { Policy, PolicyChoice, PolicyInput } from './policy.ts';
import { shieldOf } from './shield.ts';
import type { RunningJob, ShieldLimits, Snapshot } from './snapshot.ts';

export interface DecisionInput {
  readonly snapshot: Snapshot;
  /** In charge. */
  readonly policy: Policy;
  /** Decides when the policy fails, and is compared with it. */
  readonly heuristic: Policy;
  readonly rng: Rng;
  readonly limits: ShieldLimits;
}

/** One decision within an epoch, with all that it rests on. */
export interface DecisionStep {
  /** All of them, the vetoed too; `wait` is the last. */
  readonly candidates: readonly Candidate[];
  /** Indices into `candidates` of those that the shield allows, ascending; at least one. */
  readonly allowed: readonly number[];
  /** The actions at `allowed`: what a policy saw, and the rows of `choice.features`. */
  readonly allowedActions: readonly Action[];
  readonly chosen: Action;
  /** Per candidate; null where it was vetoed or the policy does not score. */
  readonly scores: readonly (number | null)[];
  /** The answer that was followed; null when there was nothing to choose, so that nobody was asked. */
  readonly choice: PolicyChoice | null;
  /** True when there was a choice and the policy was asked. */
  readonly asked: boolean;
  /** Set when the policy failed, and the heuristic decided. */
  readonly fallback: Decision['fallback'];
  readonly heuristicAction: Action;
  /** The policy in charge, whether or not it failed. */
  readonly policyName: string;
  readonly policyVersion: string;
  /** For people. */
  readonly sentence: string;
}

/**
 * Takes one decision. Pure but for the random generator and what a policy keeps for itself. The caller applies
 * `chosen` and, unless it is `wait`, goes on with `withLaunched`. Never throws because of a policy: one that
 * throws or answers nonsense is replaced by the heuristic for this decision; if that fails too, by the most
 * cautious thing that is allowed.
 */
export function decide(input: DecisionInput): DecisionStep {
  const { snapshot, policy, heuristic, rng, limits } = input;
  const shield = shieldOf(snapshot, limits);
  const candidates = candidatesUnder(shield, snapshot);
  const allowed: number[] = [];
  candidates.forEach((candidate, i) => {
    if (candidate.vetoes.length === 0) allowed.push(i);
  });
  // Frozen, so that a faulty policy cannot change what it is held to.
  const allowedActions = Object.freeze(allowed.map((i) => (candidates[i] as Candidate).action));
  const last = allowedActions.length - 1;

  let choice: PolicyChoice | null = null;
  let heuristicIndex = last;
  let fallback: DecisionStep['fallback'] = null;
  let instead: string | null = null;
  if (allowedActions.length > 1) {
    const question: PolicyInput = { snapshot, candidates: allowedActions, rng };
    const answer = ask(policy, question);
    const standIn = policy === heuristic ? answer : ask(heuristic, question);
    if ('choice' in standIn) heuristicIndex = standIn.choice.index;
    if ('choice' in answer) {
      choice = answer.choice;
    } else {
      fallback = { failed: policy.name, error: answer.error };
      choice = 'choice' in standIn ? standIn.choice : cautious(last);
      instead = 'choice' in standIn ? `${heuristic.name} decided` : 'the safest choice was taken';
    }
  }
  const scores: (number | null)[] = candidates.map(() => null);
  choice?.scores?.forEach((score, i) => {
    scores[allowed[i] as number] = score;
  });
  const step = {
    candidates,
    allowed,
    allowedActions,
    chosen: allowedActions[choice?.index ?? last] as Action,
    scores,
    choice,
    asked: choice !== null,
    fallback,
    heuristicAction: allowedActions[heuristicIndex] as Action,
    policyName: policy.name,
    policyVersion: policy.version,
  };
  return { ...step, sentence: sentenceOf(snapshot, step, shield, instead) };
}

/**
 * The snapshot as it is right after a launch, at the same instant, so that an epoch can go on. `wait` changes
 * nothing. @throws {ConflictError} if the job is not waiting.
 */
export function withLaunched(snapshot: Snapshot, action: Action): Snapshot {
  if (action.kind === 'wait') return snapshot;
  const job = snapshot.waiting.find(({ id }) => id === action.jobId);
  if (job === undefined) {
    throw new ConflictError(
      `job ${action.jobId} is not waiting in this snapshot`,
      'decide again on a fresh one',
    );
  }
  const { waitingSinceMs: _since, moved: _moved, ...common } = job;
  const started: RunningJob = {
    ...common,
    deviceIds: action.deviceIds,
    startedAtMs: snapshot.nowMs,
    paused: false,
    progress: null,
  };
  return {
    ...snapshot,
    waiting: snapshot.waiting.filter((other) => other !== job),
    running: [...snapshot.running, started],
  };
}

type Answer = { readonly choice: PolicyChoice } | { readonly error: string };

function ask(policy: Policy, question: PolicyInput): Answer {
  try {
    const choice = policy.choose(question);
    const problem = problemOf(choice, question.candidates.length);
    return problem === null ? { choice } : { error: problem };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** What is wrong with an answer to a question of `count` candidates, in a few words; null when nothing is. */
function problemOf(choice: PolicyChoice, count: number): string | null {
  const { index, scores, features, epsilon, explored } = choice;
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    return `it chose candidate ${String(index)} of ${count}`;
  }
  if (scores !== null && scores.length !== count) return `it scored ${scores.length} of ${count} candidates`;
  for (const score of scores ?? []) if (!Number.isFinite(score)) return 'a score is not a finite number';
  if (epsilon !== null && !Number.isFinite(epsilon)) return 'its epsilon is not a finite number';
  if (typeof explored !== 'boolean') return 'it does not say whether it explored';
  if (features !== null && features.length !== count * FEATURE_COUNT) {
    return `it gave ${features.length} features for ${count} × ${FEATURE_COUNT}`;
  }
  return null;
}

/** `wait` where it is allowed, else a launch that the shield demands: both stand last. */
function cautious(last: number): PolicyChoice {
  return { index: last, scores: null, epsilon: null, explored: false, features: null };
}
