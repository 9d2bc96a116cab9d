import { type Rng, seededRng } from '../../domain/rng.ts';
import { Recorder } from '../../learning/recorder.ts';
import { seenStep } from '../../learning/seenStep.ts';
import { encodeTrajectory, TrajectoryBuilder } from '../../learning/trajectory.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../scheduler/features.ts';
import { decodeWeights } from '../../scheduler/network.ts';
import { aged } from '../../scheduler/policies/aged.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../../scheduler/policies/dqn.ts';
import { labPolicy } from '../../scheduler/policies/heuristics.ts';
import { amongAll } from '../../scheduler/policies/launching.ts';
import { createPgPolicy } from '../../scheduler/policies/pg.ts';
import type { Policy } from '../../scheduler/policy.ts';
import { simulate } from '../../simulator/machine.ts';
import type { SimulatedWorld } from '../../simulator/world.ts';
import { runWorld } from '../runWorld.ts';
import type { TrainConfig } from './trainConfig.ts';
import { type DrawnWorld, drawWorld, type Traces } from './worlds.ts';

/** Who acts: a heuristic by its name, or a network. */
export type Actor =
  | { readonly policy: string }
  | { readonly weights: Uint8Array; readonly epsilon: number; readonly upperConfidence: number }
  /** Draws from the softmax of its scores; 0: takes the most probable. */
  | { readonly weights: Uint8Array; readonly temperature: number };

/** What a thread of the training does at a time. */
export type ActingJob =
  | {
      readonly kind: 'act';
      readonly world: number;
      readonly actor: Actor;
      readonly demonstrated: boolean;
      /** Which of several runs of the same world, with other chances; the first when left out. */
      readonly rollout?: number;
    }
  | { readonly kind: 'validate'; readonly world: number; readonly actor: Actor };

/** Of a world that was run to its end. */
export interface Acted {
  /** Blob of encodeTrajectory; null from a validation. */
  readonly trajectory: Uint8Array | null;
  /** When each of its decisions was taken, seconds; null from a validation. */
  readonly timesS: Float64Array | null;
  readonly meanJctS: number;
  /** Decisions that came to be in the trajectory. */
  readonly decisions: number;
}

/** The policy of an actor; `preempts` widens a heuristic that only launches to candidates that it never takes. */
function policyOf(actor: Actor, preempts: boolean): Policy {
  if ('policy' in actor) {
    const policy = labPolicy(actor.policy);
    return preempts ? amongAll(policy) : policy;
  }
  const weights = decodeWeights(actor.weights, FEATURE_NAMES);
  if ('temperature' in actor)
    return createPgPolicy({ weights, version: 'training', temperature: actor.temperature });
  const { epsilon, upperConfidence } = actor;
  const exploration =
    epsilon === 0 ? NO_EXPLORATION : { start: epsilon, end: epsilon, overDecisions: 1, triesWait: true };
  return createDqnPolicy({ weights, version: 'training', exploration, upperConfidence });
}

/** Between the seeds of two runs of one world. */
const ROLLOUT_SEEDS = 15_485_863;

/** Does a job of the training. @throws {Error} that names the world. */
export function act(job: ActingJob, config: TrainConfig, traces: Traces): Acted {
  const { worlds, validation, seed } = config;
  const validates = job.kind === 'validate';
  const source = validates ? { ...worlds, otherGoalsShare: 0 } : worlds;
  const drawn = drawWorld(source, validates ? validation.seed : seed, job.world, traces);
  try {
    const policy = policyOf(job.actor, !validates && config.preempts);
    if (validates)
      return { trajectory: null, timesS: null, meanJctS: meanJctS(drawn.world, policy), decisions: 0 };
    const chance = seededRng(seed * 31 + job.world + ROLLOUT_SEEDS * (job.rollout ?? 0));
    return record(drawn, policy, job.demonstrated, config, chance);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`world ${job.world} (${drawn.label}): ${error.message}`, { cause: error });
  }
}

function meanJctS(world: SimulatedWorld, policy: Policy): number {
  const outcomes = runWorld(world, policy, 1);
  return (
    outcomes.reduce((sum, { job, finishedAtS }) => sum + finishedAtS - job.submittedAtS, 0) / outcomes.length
  );
}

function record(
  { world, gapS }: DrawnWorld,
  policy: Policy,
  demonstrated: boolean,
  { learning, interaction }: TrainConfig,
  rng: Rng,
): Acted {
  const { horizon } = learning;
  const builder = new TrajectoryBuilder();
  const timesS: number[] = [];
  const recorder = new Recorder({
    onTransition: (transition) => {
      builder.push(transition);
      timesS.push(transition.atMs / 1000);
    },
    rng,
    betaPerS: 1 / ('seconds' in horizon ? horizon.seconds : horizon.arrivals * gapS),
    mostRows: interaction.mostCandidates,
  });
  let decisionId = 0;
  const outcomes = simulate(world, {
    policy,
    heuristic: aged,
    rng,
    observer: {
      advance: (load, nowMs) => recorder.advance(load, nowMs),
      decided(step, snapshot) {
        if (step.fallback !== null) throw new Error(`${policy.name} failed: ${step.fallback.error}`);
        const seen = seenStep(step, snapshot, ++decisionId, null);
        if (seen !== null) recorder.decided(seen);
      },
      idle: () => recorder.idle(),
    },
  });
  const trajectory = builder.build(FEATURE_COUNT, demonstrated);
  return {
    trajectory: encodeTrajectory(trajectory),
    timesS: Float64Array.from(timesS),
    meanJctS:
      outcomes.reduce((sum, { job, finishedAtS }) => sum + finishedAtS - job.submittedAtS, 0) /
      outcomes.length,
    decisions: trajectory.chosen.length,
  };
}
