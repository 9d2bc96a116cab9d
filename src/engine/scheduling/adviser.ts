import type { Action } from '../../domain/decision.ts';
import { ConflictError } from '../../domain/errors.ts';
import { isSameAction } from '../../domain/isSameAction.ts';
import {
  type Conduct,
  conductSchema,
  type Mode,
  type Suggestion,
  type SuggestionCounts,
  type SuggestionOutcome,
} from '../../domain/mode.ts';
import type { DecisionStep } from '../../scheduler/decide.ts';
import type { Clock } from '../ports.ts';
import { OwnersChoice } from '../store/ownersChoice.ts';
import type { SettingStore } from '../store/settingStore.ts';
import type { SuggestionStore } from '../store/suggestionStore.ts';

const DEFAULT: Conduct = { mode: 'auto', thinkS: 30 };

/**
 * Who acts, and, while the policy only advises, what it suggests. A suggestion that the heuristic disagrees with stands
 * for a while, in which nothing is started but what a person says; then the heuristic acts.
 */
export class Adviser {
  private readonly conduct: OwnersChoice<Conduct>;
  private readonly store: SuggestionStore;
  private readonly clock: Clock;
  private counts: SuggestionCounts;
  private standing: Suggestion | null = null;
  /** Until when the heuristic is held back, on the monotonic clock; null: it is not. */
  private heldUntilMs: number | null = null;
  /** True: the time to think is over, and the heuristic acts until this epoch ends. */
  private released = false;
  /** What could be done when a person said that nothing should be; null: nobody did. */
  private leftAlone: string | null = null;

  constructor(settings: SettingStore, store: SuggestionStore, clock: Clock) {
    this.conduct = new OwnersChoice(settings, 'conduct', conductSchema, DEFAULT);
    this.store = store;
    this.clock = clock;
    store.endAll(clock.nowMs());
    this.counts = store.counts();
  }

  get mode(): Mode {
    return this.conduct.current.mode;
  }

  get status() {
    return { ...this.conduct.current, suggestion: this.standing, suggested: this.counts };
  }

  /** For how long the heuristic is still held back, ms; null: it is not. */
  get heldForMs(): number | null {
    return this.heldUntilMs === null ? null : Math.max(0, this.heldUntilMs - this.clock.monotonicMs());
  }

  /** Written before it holds. */
  set(change: Partial<Conduct>): void {
    this.conduct.set(change);
    this.heldUntilMs = null;
    this.leftAlone = null;
    this.end('gone');
  }

  /** Another instant: what was let pass in the last counts no more. */
  nextEpoch(): void {
    this.released = false;
  }

  /**
   * What is done about a decision while advising: what the heuristic would do, if it is time for that.
   * @returns null: nothing for now, since a person may still say a word, or has said it.
   */
  answer(step: DecisionStep): Action | null {
    if (!step.asked || step.fallback !== null || step.chosen === step.heuristicAction) {
      this.heldUntilMs = null;
      this.end('gone');
      return step.chosen;
    }
    if (this.leftAlone === situationOf(step)) return null;
    const nothingElse = step.heuristicAction.kind === 'wait';
    if (this.released && !nothingElse) return step.heuristicAction;
    this.suggest(step, nothingElse);
    if (nothingElse || this.heldForMs! > 0) return null;
    this.heldUntilMs = null;
    this.released = true;
    this.end('lapsed');
    return step.heuristicAction;
  }

  /**
   * The suggestion that a person answers.
   * @param id as it was shown; any when left out.
   * @throws {ConflictError} when there is none, or another by now.
   */
  present(id?: number): Suggestion {
    const { standing } = this;
    if (standing === null) {
      const why =
        this.mode === 'advise' ? 'nothing is suggested now' : `nothing is suggested in mode ${this.mode}`;
      throw new ConflictError(why, 'stint policy mode says what is');
    }
    if (id !== undefined && id !== standing.id) {
      throw new ConflictError(`suggestion ${id} is over`, `${standing.id} stands now; look at it first`);
    }
    return standing;
  }

  /** A person has answered by having something done, or nothing, for as long as nothing else could be done. */
  answered(outcome: 'accepted' | 'overruled', step: DecisionStep, done: Action): void {
    this.heldUntilMs = null;
    this.leftAlone = done.kind === 'wait' ? situationOf(step) : null;
    this.end(outcome);
  }

  /** A person acted without being asked: that is an answer to what stands, if it is about the same. */
  personDid(action: Action): void {
    if (this.standing === null) return;
    const same = isSameAction(this.standing.action, action);
    if (!same && action.kind !== 'launch') return;
    this.heldUntilMs = null;
    this.end(same ? 'accepted' : 'overruled');
  }

  /** What stands can no longer be done. */
  withdraw(): void {
    this.end('gone');
  }

  /** Why a job that could start does not, where that is not for the scheduler to choose; null: it is. */
  whyNotStarted(jobId: number): string | null {
    if (this.mode === 'manual') return `fits now, and waits for a person: stint start ${jobId}`;
    const action = this.standing?.action;
    return action?.kind === 'launch' && action.jobId === jobId
      ? 'fits now, and is suggested: stint policy accept starts it'
      : null;
  }

  private suggest(step: DecisionStep, stands: boolean): void {
    const { chosen: action, heuristicAction, policyName: policy, policyVersion } = step;
    const now = this.standing;
    if (
      now !== null &&
      now.policy === policy &&
      now.policyVersion === policyVersion &&
      isSameAction(now.action, action) &&
      isSameAction(now.heuristicAction, heuristicAction)
    )
      return;
    this.end('gone');
    // From the first disagreement on: a queue that changes all the time does not hold it back for ever.
    if (stands) this.heldUntilMs = null;
    else this.heldUntilMs ??= this.clock.monotonicMs() + 1000 * this.conduct.current.thinkS;
    const atMs = this.clock.nowMs();
    const actsAtMs = this.heldForMs === null ? null : atMs + Math.round(this.heldForMs);
    this.standing = this.store.insert({ atMs, policy, policyVersion, action, heuristicAction, actsAtMs });
  }

  private end(outcome: SuggestionOutcome): void {
    const { standing } = this;
    if (standing === null) return;
    this.store.end(standing.id, outcome, this.clock.nowMs());
    this.standing = null;
    if (outcome !== 'gone') this.counts = { ...this.counts, [outcome]: this.counts[outcome] + 1 };
  }
}

const situationOf = (step: DecisionStep): string => JSON.stringify(step.allowedActions);
