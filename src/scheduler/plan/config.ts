import { BELIEF, type BeliefConfig } from '../belief.ts';

export interface PlanConfig {
  readonly belief: BeliefConfig;
  /** Density is index / GPUs^this. */
  readonly sizeExponent: number;
  /** How much of the index a quantum ago counts for who runs. */
  readonly hysteresis: number;
  /** Who runs counts so many times as much. */
  readonly headStart: number;
  /** Share of the Gittins index against 1 / E[remaining]. */
  readonly gittinsShare: number;
  /** Factor of what a preemption costs. */
  readonly preemptCost: number;
  /** Seconds that a pause costs: who stands still keeps memory, and goes on only where it is. */
  readonly pauseCostS: number;
  /** And how much of it counts for each other job that waits for a device. */
  readonly costToOthers: number;
  /** Of pair speeds: speed = base − slope · max(0, Σ utilisation − 1). */
  readonly pairBase: number;
  readonly pairSlope: number;
  /** A share must gain at least so much throughput, in jobs at full speed, where nobody else waits. */
  readonly leastGain: number;
  /** And the less the more wait for each device. */
  readonly crowdGain: number;
  /** Paired seconds that the rule counts as, and the mean speed that it expects. */
  readonly pairPriorS: number;
  readonly pairMean: number;
  readonly elasticExponent: number;
  /** Priority counts to this power of its weight in the reward. */
  readonly priority: number;
  /** Power of a user's share of service, times the goal's square: a slight wish changes little, a strong one decides. */
  readonly fairness: number;
  readonly shrinks: number;
  readonly grows: number;
  /** Looks again after this share of the least attained time of who runs. */
  readonly reviewShare: number;
  readonly reviewLeastS: number;
  /** And so many times later for who is that much ahead of who waits, at most. */
  readonly mostAhead: number;
  /** What is lost of a job that is there to stay counts at least so much against one that would be over before it. */
  readonly leastWeight: number;
  /** Each job that stands still on a device counts as so much speed lost there: it goes on nowhere else. */
  readonly standingLoss: number;
  /** Who runs moves to idle devices where that saves so many times what it costs; 0: never. */
  readonly moveFactor: number;
  /** Seconds that a start costs beside the work that a stop loses. */
  readonly moveStartS: number;
  /** Who was stopped so often does not move. */
  readonly moveMost: number;
  /** Speed that is expected on a device whose owner sits at it. */
  readonly ownerSpeed: number;
}

export const PLAN: PlanConfig = {
  belief: BELIEF,
  sizeExponent: 0.5,
  hysteresis: 1,
  headStart: 1.15,
  gittinsShare: 1,
  preemptCost: 4,
  pauseCostS: 3000,
  costToOthers: 0.3,
  pairBase: 0.95,
  pairSlope: 0.4,
  leastGain: 0.3,
  crowdGain: 1.4,
  pairPriorS: 20_000,
  pairMean: 0.7,
  elasticExponent: 0.8,
  priority: 0.5,
  fairness: 2,
  shrinks: 1,
  grows: 1,
  reviewShare: 0.25,
  reviewLeastS: 60,
  mostAhead: 30,
  leastWeight: 0.5,
  standingLoss: 0.1,
  moveFactor: 3,
  moveStartS: 30,
  moveMost: 3,
  ownerSpeed: 0.6,
};
