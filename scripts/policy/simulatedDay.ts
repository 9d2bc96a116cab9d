import { DEFAULT_GOALS, type RewardParts, scalarise } from '../../src/domain/reward.ts';
import { type Rng, seededRng } from '../../src/domain/rng.ts';
import { Recorder } from '../../src/learning/recorder.ts';
import { seenStep } from '../../src/learning/seenStep.ts';
import type { Transition } from '../../src/learning/transition.ts';
import { firstFit } from '../../src/scheduler/policies/firstFit.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { type JobOutcome, type SimulatedWorld, simulate } from '../../src/simulator/machine.ts';
import { quantile } from './statistics.ts';

/** Runs a day; hands out its transitions; returns its outcomes and its costs. */
export function runDay(
  world: SimulatedWorld,
  policy: Policy,
  rng: Rng,
  onTransition: (transition: Transition) => void = () => undefined,
): { outcomes: JobOutcome[]; cost: RewardParts } {
  const recorder = new Recorder({ onTransition, rng });
  let decisionId = 0;
  let total: RewardParts = { completion: 0, utilisation: 0, fairness: 0 };
  const outcomes = simulate(world, {
    policy,
    heuristic: firstFit,
    rng,
    observer: {
      advance: (load, nowMs) => recorder.advance(load, nowMs),
      decided(step, snapshot) {
        const seen = seenStep(step, snapshot, ++decisionId, null);
        if (seen !== null) recorder.decided(seen);
      },
      idle() {
        const parts = recorder.idle();
        total = {
          completion: total.completion - parts.completion,
          utilisation: total.utilisation - parts.utilisation,
          fairness: total.fairness - parts.fairness,
        };
      },
    },
  });
  return { outcomes, cost: total };
}

/** How a simulated day went. */
export interface Figures {
  /** ∫ Σ w_k c_k dt, s. */
  readonly cost: number;
  readonly meanJctS: number;
  /** Mean of JCT / max(10 s, duration). */
  readonly slowdown: number;
  /** From submission to start; less than a second counts as one, so that a ratio of two waits is always defined. */
  readonly waitP95S: number;
  readonly waitMaxS: number;
  readonly parts: RewardParts;
}

/** Runs a day under a policy that does not explore; the same day and policy give the same figures. */
export function figuresOf(world: SimulatedWorld, policy: Policy): Figures {
  const { outcomes, cost } = runDay(world, policy, seededRng(1));
  const mean = (value: (outcome: JobOutcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + value(outcome), 0) / outcomes.length;
  const waitsS = outcomes.map(({ job, startedAtS }) => startedAtS - job.submittedAtS);
  return {
    cost: scalarise(cost, DEFAULT_GOALS),
    meanJctS: mean(({ job, finishedAtS }) => finishedAtS - job.submittedAtS),
    slowdown: mean(({ job, finishedAtS }) => (finishedAtS - job.submittedAtS) / Math.max(10, job.durationS)),
    waitP95S: Math.max(1, quantile(waitsS, 0.95)),
    waitMaxS: Math.max(1, ...waitsS),
    parts: cost,
  };
}
