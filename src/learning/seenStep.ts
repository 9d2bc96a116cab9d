import type { DecisionStep } from '../scheduler/decide.ts';
import { featuresOf } from '../scheduler/features.ts';
import type { Snapshot } from '../scheduler/snapshot.ts';
import type { DecidedStep } from './recorder.ts';

/**
 * A step of the decision core as the recorder takes it; null when there was nothing to choose, which is no
 * decision to learn from. Q-learning is off-policy: where a heuristic decided, its features are computed here.
 */
export function seenStep(
  step: DecisionStep,
  snapshot: Snapshot,
  decisionId: number,
  episodeId: number | null,
): DecidedStep | null {
  if (step.choice === null) return null;
  return {
    decisionId,
    episodeId,
    atMs: snapshot.nowMs,
    features: step.choice.features ?? featuresOf(snapshot, step.allowedActions),
    rows: step.allowedActions.length,
    chosenRow: step.choice.index,
    goals: snapshot.goals,
  };
}
