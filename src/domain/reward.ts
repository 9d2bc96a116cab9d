import { z } from 'zod';

/** The components of the reward, and so also of its weights. */
export const REWARD_COMPONENTS = ['completion', 'utilisation', 'fairness'] as const;
export type RewardComponent = (typeof REWARD_COMPONENTS)[number];

const components = z.object({
  /** Jobs in the system, weighed by priority: by Little's law the weighed mean completion time. */
  completion: z.number(),
  /** GPUs idle while work that could use them waits. */
  utilisation: z.number(),
  /** Spread of the users' service. */
  fairness: z.number(),
});
/** One number per component. */
export const rewardPartsSchema = components;
export type RewardParts = z.output<typeof components>;
/** The most that a goal may weigh. */
export const FULL_GOAL = 2;
const goal = z.number('give a number').min(0, 'give 0 or more').max(FULL_GOAL, `give at most ${FULL_GOAL}`);
/** The components of the reward, and energy, which the plan heeds and no reward tells of. */
export const GOALS = [...REWARD_COMPONENTS, 'energy'] as const;
export type Goal = (typeof GOALS)[number];
/** What the owner wants: 0, not at all, to {@link FULL_GOAL}. */
export const goalWeightsSchema = z.object({
  completion: goal,
  utilisation: goal,
  fairness: goal,
  energy: goal,
});
export type GoalWeights = z.output<typeof goalWeightsSchema>;

export const DEFAULT_GOALS: GoalWeights = { completion: 1, utilisation: 0.5, fairness: 0.25, energy: 0 };
/** What each goal means to people. */
export const GOAL_MEANINGS: Readonly<Record<Goal, string>> = {
  completion: 'jobs are over soon on average: short ones go first',
  utilisation: 'no GPU idles while work waits: jobs share sooner',
  fairness: 'users get like shares of the machine',
  energy: 'less electricity for the same work: jobs share GPUs, and elastic ones take few',
};
export const ZERO_PARTS: RewardParts = { completion: 0, utilisation: 0, fairness: 0 };

/**
 * The discount rate β in 1/s: what happens half an hour from now counts e⁻¹. Semi-Markov: between two
 * decisions Δt apart the discount is e^(−βΔt), and exactly 1 at the same instant
 * (Bradtke & Duff 1995, "Reinforcement learning methods for continuous-time Markov decision problems").
 */
export const DISCOUNT_RATE_PER_S = 1 / 1800;

/** What the cost rates are computed from. */
export interface Load {
  readonly waiting: number;
  readonly running: number;
  /** Σ {@link priorityWeight} over the waiting and the running jobs: their number when all have priority 0. */
  readonly weight: number;
  readonly devices: number;
  /** Usable devices without a job. */
  readonly idleDevices: number;
  /** GPUs that the waiting jobs ask for, in total. */
  readonly waitingGpus: number;
  /** GPU-seconds of service in this episode, of every user with work in the system. */
  readonly serviceByUser: readonly number[];
}

/**
 * How much a job's time in the system counts: each 10 of priority doubles it, from an eighth (−30 and below) to
 * eight times (30 and above), so that no number alone makes everybody else worthless.
 */
export function priorityWeight(priority: number): number {
  return 2 ** (Math.min(30, Math.max(-30, priority)) / 10);
}

/** Cost rates c_k, each about one on a busy machine. Dimensionless. */
export function costRates(load: Load): RewardParts {
  const size = Math.max(1, load.devices);
  return {
    completion: load.weight / (2 * size),
    utilisation: Math.min(load.idleDevices, load.waitingGpus) / size,
    fairness: 1 - jain(load.serviceByUser),
  };
}

/**
 * Reward components of a stretch of `dtS` seconds at constant cost rates, −∫ e^(−βs) c_k ds over [0, Δt),
 * scaled by β so that a cost rate of 1 for ever is worth −1.
 */
export function rewardOver(rates: RewardParts, dtS: number, betaPerS = DISCOUNT_RATE_PER_S): RewardParts {
  const weight = -(1 - Math.exp(-betaPerS * Math.max(0, dtS)));
  return mapParts((k) => weight * rates[k]);
}

/** e^(−βΔt): 1 between decisions at the same instant. */
export function discountOver(dtS: number, betaPerS = DISCOUNT_RATE_PER_S): number {
  return Math.exp(-betaPerS * Math.max(0, dtS));
}

/** Σ w_k r_k. */
export function scalarise(parts: RewardParts, weights: RewardParts): number {
  return REWARD_COMPONENTS.reduce((sum, k) => sum + weights[k] * parts[k], 0);
}

/** a + f·b, part by part. */
export function addParts(a: RewardParts, b: RewardParts, f = 1): RewardParts {
  return mapParts((k) => a[k] + f * b[k]);
}

function mapParts(value: (k: RewardComponent) => number): RewardParts {
  return { completion: value('completion'), utilisation: value('utilisation'), fairness: value('fairness') };
}

/**
 * Jain's fairness index, (Σx)² / (n Σx²): 1 when all are equal (or nobody has anything), 1/n when one has all
 * (Jain, Chiu & Hawe 1984).
 */
export function jain(values: readonly number[]): number {
  let sum = 0;
  let squares = 0;
  for (const v of values) {
    sum += v;
    squares += v * v;
  }
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}
