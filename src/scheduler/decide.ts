import type { Action, Decision } from '../domain/decision.ts';
import { ConflictError, messageOf } from '../domain/errors.ts';
import { isSameAction } from '../domain/isSameAction.ts';
import type { Rng } from '../domain/rng.ts';
import type { Candidate } from './candidate.ts';
import { allowedUnder, candidatesUnder } from './candidates.ts';
import { sentenceOf } from './explain.ts';
import { FEATURE_COUNT } from './features.ts';
import type { Policy, PolicyChoice, PolicyInput } from './policy.ts';
import { type Shield, shieldOf } from './shield.ts';
import type { RunningJob, ShieldLimits, Snapshot, WaitingJob } from './snapshot.ts';

export interface DecisionInput {
  readonly snapshot: Snapshot;
  /** In charge. */
  readonly policy: Policy;
  /** Decides when the policy fails, and is compared with it. */
  readonly heuristic: Policy;
  readonly rng: Rng;
  readonly limits: ShieldLimits;
  /** As a policy is told it; empty when left out. */
  readonly history?: readonly number[];
}

/** One decision within an epoch, with all that it rests on. */
export interface DecisionStep {
  /** All of them, the vetoed too; `wait` is the last. */
  readonly candidates: readonly Candidate[];
  /** Indices into `candidates` of those that the shield allows and the policy considers, ascending; at least one. */
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
 * `chosen` and, unless it is `wait`, goes on with `withApplied`. Never throws because of a policy: one that
 * throws or answers nonsense is replaced by the heuristic for this decision; if that fails too, by the most
 * cautious thing that is allowed.
 */
export function decide(input: DecisionInput): DecisionStep {
  const { snapshot, policy, heuristic, rng, limits } = input;
  const shield = shieldOf(snapshot, limits);
  // Frozen, so that a faulty policy cannot change what it is held to.
  const allowedActions = Object.freeze(allowedUnder(shield, snapshot, policy.preempts === true));
  const last = allowedActions.length - 1;

  let choice: PolicyChoice | null = null;
  let heuristicAction = allowedActions[last] as Action;
  let fallback: DecisionStep['fallback'] = null;
  let instead: string | null = null;
  if (allowedActions.length > 1) {
    const question: PolicyInput = {
      snapshot,
      candidates: allowedActions,
      history: input.history ?? NOTHING_KNOWN,
      rng,
    };
    const answer = ask(policy, question);
    const standIn = policy === heuristic ? answer : askInstead(heuristic, question);
    if ('choice' in standIn) heuristicAction = allowedActions[standIn.choice.index] as Action;
    if ('choice' in answer) {
      choice = answer.choice;
    } else {
      fallback = { failed: policy.name, error: answer.error };
      choice = 'choice' in standIn ? standIn.choice : cautious(last);
      instead = 'choice' in standIn ? `${heuristic.name} decided` : 'the safest choice was taken';
    }
  }
  return new Taken(snapshot, shield, instead, {
    allowedActions,
    chosen: allowedActions[choice?.index ?? last] as Action,
    choice,
    asked: choice !== null,
    fallback,
    heuristicAction,
    policyName: policy.name,
    policyVersion: policy.version,
  });
}

/**
 * The same decision with something else done, because somebody who is not the policy wanted it: what it scored stays,
 * and the sentence is about what was done.
 * @param action any that fits the snapshot; what was not offered is added, unscored.
 */
export function actedInstead(
  { snapshot, limits }: Pick<DecisionInput, 'snapshot' | 'limits'>,
  step: DecisionStep,
  action: Action,
): DecisionStep {
  const offered = step.allowedActions.findIndex((one) => isSameAction(one, action));
  const allowedActions = offered >= 0 ? step.allowedActions : [...step.allowedActions, action];
  const index = offered >= 0 ? offered : allowedActions.length - 1;
  const known = offered >= 0 ? step.choice : null;
  const choice: PolicyChoice = {
    ...(known ?? { scores: null, epsilon: null, features: null }),
    index,
    explored: false,
  };
  const shield = shieldOf(snapshot, limits);
  const essentials = { ...step, allowedActions, chosen: allowedActions[index] as Action, asked: true };
  const unscored = new Taken(snapshot, shield, null, { ...essentials, choice: { ...choice, scores: null } });
  return new Taken(snapshot, shield, null, { ...essentials, choice }, unscored.sentence);
}

type Essentials = Omit<DecisionStep, 'candidates' | 'allowed' | 'scores' | 'sentence'>;

/** A decision whose record is made up when it is asked for: a simulator takes a million of them and reads none. */
class Taken implements DecisionStep {
  readonly allowedActions: readonly Action[];
  readonly chosen: Action;
  readonly choice: PolicyChoice | null;
  readonly asked: boolean;
  readonly fallback: Decision['fallback'];
  readonly heuristicAction: Action;
  readonly policyName: string;
  readonly policyVersion: string;
  readonly #snapshot: Snapshot;
  readonly #shield: Shield;
  readonly #instead: string | null;
  #record: Pick<DecisionStep, 'candidates' | 'allowed' | 'scores'> | null = null;
  #sentence: string | null = null;

  constructor(
    snapshot: Snapshot,
    shield: Shield,
    instead: string | null,
    step: Essentials,
    sentence: string | null = null,
  ) {
    this.allowedActions = step.allowedActions;
    this.chosen = step.chosen;
    this.choice = step.choice;
    this.asked = step.asked;
    this.fallback = step.fallback;
    this.heuristicAction = step.heuristicAction;
    this.policyName = step.policyName;
    this.policyVersion = step.policyVersion;
    this.#snapshot = snapshot;
    this.#shield = shield;
    this.#instead = instead;
    this.#sentence = sentence;
  }

  get candidates(): readonly Candidate[] {
    return this.#recorded().candidates;
  }

  get allowed(): readonly number[] {
    return this.#recorded().allowed;
  }

  get scores(): readonly (number | null)[] {
    return this.#recorded().scores;
  }

  get sentence(): string {
    this.#sentence ??= sentenceOf(this.#snapshot, this, this.#shield, this.#instead);
    return this.#sentence;
  }

  #recorded(): Pick<DecisionStep, 'candidates' | 'allowed' | 'scores'> {
    this.#record ??= recordOf(candidatesUnder(this.#shield, this.#snapshot), this);
    return this.#record;
  }
}

/** @param all in whose order the allowed ones stand; what the policy was not offered is among them too. */
function recordOf(
  all: readonly Candidate[],
  { allowedActions, choice }: Essentials,
): Pick<DecisionStep, 'candidates' | 'allowed' | 'scores'> {
  const allowed: number[] = [];
  const candidates: Candidate[] = all.map((candidate, i): Candidate => {
    const next = allowedActions[allowed.length];
    if (next === undefined || candidate.vetoes.length > 0 || !isSameAction(candidate.action, next))
      return candidate;
    allowed.push(i);
    return { action: next, vetoes: candidate.vetoes };
  });
  // What nobody offered, and a person wanted all the same.
  for (const action of allowedActions.slice(allowed.length)) {
    allowed.push(candidates.length);
    candidates.push({ action, vetoes: [] });
  }
  const scores: (number | null)[] = candidates.map(() => null);
  choice?.scores?.forEach((score, i) => {
    scores[allowed[i] as number] = score;
  });
  return { candidates, allowed, scores };
}

const NOTHING_KNOWN: readonly number[] = [];

function considers(policy: Policy, { kind }: Action): boolean {
  return policy.preempts === true || kind === 'launch' || kind === 'wait';
}

/** Asks one that may consider less than the policy in charge. */
function askInstead(heuristic: Policy, question: PolicyInput): Answer {
  const indices: number[] = [];
  question.candidates.forEach((action, i) => {
    if (considers(heuristic, action)) indices.push(i);
  });
  if (indices.length === question.candidates.length) return ask(heuristic, question);
  if (indices.length === 0) return { error: 'it considers nothing of what is allowed' };
  const candidates = indices.map((i) => question.candidates[i] as Action);
  const answer = ask(heuristic, { ...question, candidates });
  if ('error' in answer) return answer;
  const index = indices[answer.choice.index] as number;
  return { choice: { ...answer.choice, index, scores: null, features: null } };
}

/**
 * The snapshot as it is right after an action, at the same instant, so that an epoch can go on. `wait` changes
 * nothing. @throws {ConflictError} if the job is not waiting, or not running.
 */
export function withApplied(snapshot: Snapshot, action: Action): Snapshot {
  if (action.kind === 'wait') return snapshot;
  if (action.kind === 'launch') return withLaunched(snapshot, action);
  const job = snapshot.running.find(({ id }) => id === action.jobId);
  if (job === undefined) throw notThere(action.jobId, 'running');
  const others = snapshot.running.filter((other) => other !== job);
  if (action.kind !== 'preempt') {
    const pausedBy = action.kind === 'pause' ? 'scheduler' : null;
    return { ...snapshot, running: [...others, { ...job, pausedBy, changedAtMs: snapshot.nowMs }] };
  }
  const {
    deviceIds: _ids,
    startedAtMs: _at,
    changedAtMs: _since,
    pausedBy: _by,
    progress: _progress,
    ...common
  } = job;
  const back: WaitingJob = {
    ...common,
    preemptions: job.preemptions + 1,
    waitingSinceMs: snapshot.nowMs,
    urgentSinceMs: null,
    moved: false,
  };
  const place = snapshot.waiting.findIndex(({ rank }) => rank > job.rank);
  const waiting = snapshot.waiting.toSpliced(place < 0 ? snapshot.waiting.length : place, 0, back);
  return { ...snapshot, waiting, running: others };
}

const notThere = (jobId: number, state: string): ConflictError =>
  new ConflictError(`job ${jobId} is not ${state} in this snapshot`, 'decide again on a fresh one');

function withLaunched(snapshot: Snapshot, action: Extract<Action, { kind: 'launch' }>): Snapshot {
  const job = snapshot.waiting.find(({ id }) => id === action.jobId);
  if (job === undefined) throw notThere(action.jobId, 'waiting');
  const { waitingSinceMs: _since, urgentSinceMs: _urgent, moved: _moved, ...common } = job;
  const started: RunningJob = {
    ...common,
    deviceIds: action.deviceIds,
    startedAtMs: snapshot.nowMs,
    changedAtMs: snapshot.nowMs,
    pausedBy: null,
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
