import type { Decision, ScoredCandidate } from '../domain/decision.ts';
import type { DecisionStep } from './decide.ts';

/** Most candidates that are kept of one decision. */
export const MAX_RECORDED = 64;
/** At least so many places are for allowed candidates, so that the vetoed do not crowd out the alternatives. */
const FOR_ALLOWED = 40;

/**
 * The candidates of a step as they are stored: all if they are few, else the chosen one, `wait`, the best scored
 * and the first of the vetoed, in their original order. `chosen` is the index among them.
 */
export function recordedCandidates(
  step: DecisionStep,
): Pick<Decision, 'candidates' | 'candidateCount' | 'chosen'> {
  const { candidates, scores } = step;
  const chosenAt = step.allowed.find((i) => candidates[i]?.action === step.chosen) as number;
  const kept = candidates.length <= MAX_RECORDED ? candidates.map((_, i) => i) : selected(step, chosenAt);
  return {
    candidates: kept.map((i): ScoredCandidate => {
      const { action, vetoes } = candidates[i] as (typeof candidates)[number];
      return { action, score: scores[i] ?? null, vetoes: [...vetoes] };
    }),
    candidateCount: candidates.length,
    chosen: kept.indexOf(chosenAt),
  };
}

function selected(step: DecisionStep, chosenAt: number): number[] {
  const { candidates, scores } = step;
  const score = (i: number): number => scores[i] ?? Number.NEGATIVE_INFINITY;
  const kept = new Set([chosenAt, candidates.length - 1]);
  // Equal scores (-Infinity included) keep the order of the queue.
  const best = step.allowed.toSorted((a, b) => (score(a) === score(b) ? a - b : score(b) - score(a)));
  const vetoed = candidates.flatMap(({ vetoes }, i) => (vetoes.length > 0 ? [i] : []));
  for (const [source, upTo] of [
    [best, FOR_ALLOWED],
    [vetoed, MAX_RECORDED],
    [best, MAX_RECORDED],
  ] as const) {
    for (const i of source) if (kept.size < upTo) kept.add(i);
  }
  return [...kept].sort((a, b) => a - b);
}
