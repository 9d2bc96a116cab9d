import type { DecisionStep } from '../scheduler/decide.ts';
import { featuresOf } from '../scheduler/features.ts';
import { sensibleCount } from '../scheduler/policies/dqn.ts';
import type { Snapshot } from '../scheduler/snapshot.ts';
import type { DecidedStep } from './recorder.ts';

/**
 * A step of the decision core as the recorder takes it; null when there was nothing to choose, which is no
 * decision to learn from. Q-learning is off-policy: where a heuristic decided, its features are computed here.
 * @param demonstrated a person did it, or wanted it.
 */
export function seenStep(
  step: DecisionStep,
  snapshot: Snapshot,
  decisionId: number,
  episodeId: number | null,
  demonstrated = false,
): DecidedStep | null {
  if (step.choice === null) return null;
  // What the learned policy would never look at is no alternative to learn about either, unless somebody chose it.
  const { allowedActions, choice } = step;
  const rows = Math.max(sensibleCount(snapshot, allowedActions), choice.index + 1);
  const features = choice.features ?? featuresOf(snapshot, allowedActions);
  return {
    decisionId,
    episodeId,
    atMs: snapshot.nowMs,
    features: features.subarray(0, (features.length / allowedActions.length) * rows),
    rows,
    chosenRow: choice.index,
    goals: snapshot.goals,
    ...(demonstrated ? { demonstrated } : {}),
  };
}
