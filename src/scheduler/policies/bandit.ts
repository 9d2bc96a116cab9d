import { costRates, DEFAULT_GOALS, type GoalWeights, type Load, scalarise } from '../../domain/reward.ts';
import { type Rng, randomGamma, randomNormal } from '../../domain/rng.ts';
import type { Policy, PolicyInput } from '../policy.ts';
import { amongAll } from './launching.ts';

export const BANDIT_ALGORITHMS = ['thompson', 'ucb1', 'exp3'] as const;
export type BanditAlgorithm = (typeof BANDIT_ALGORITHMS)[number];

/** What is known of an arm: how often it was followed, and what that cost (x, see {@link BanditPolicy}). */
interface Arm {
  readonly name: string;
  pulls: number;
  /** Mean of x, and the sum of squared deviations from it (Welford 1962). */
  mean: number;
  squares: number;
  /** Sum of rewards, 0 to 1 each. */
  reward: number;
  /** Exp3's logarithmic weight. */
  logWeight: number;
}

/** Everything that a bandit knows, as JSON. */
export interface BanditState {
  readonly algorithm: BanditAlgorithm;
  readonly arms: readonly Readonly<Arm>[];
  /** Mean and sum of squared deviations of x over all stretches. */
  readonly all: { readonly pulls: number; readonly mean: number; readonly squares: number };
  /** The stretch under way: whose it is (−1: not chosen yet), the chance it was chosen with, its cost and ended jobs. */
  readonly stretch: {
    readonly arm: number;
    readonly chance: number;
    readonly cost: number;
    readonly ended: number;
  };
}

/**
 * Follows one heuristic for a stretch, then chooses anew which to follow next: an episode, from the first arrival until
 * the machine is idle, or {@link LONGEST_STRETCH} ended jobs where it never is.
 *
 * A stretch is judged by x = ln(∫ Σ w_k c_k dt / ended jobs): its weighed cost a job, which with all weight on completion
 * is the mean time in the system. The reward of UCB1 and Exp3 is 1 / (1 + e^((x − mean) / deviation)), both over all
 * stretches so far, so that it lies between 0 and 1 on every machine.
 */
export interface BanditPolicy extends Policy {
  /** Whom it follows now; null before it has chosen. */
  readonly follows: string | null;
  save(): BanditState;
}

export interface BanditOptions {
  readonly name: string;
  readonly algorithm: BanditAlgorithm;
  /** At least one; none clairvoyant. */
  readonly arms: readonly Policy[];
  /** What an earlier life knew; left out, or of other arms or another algorithm: nothing. */
  readonly state?: BanditState;
  /** A stretch is over, and `save` gives something new. */
  readonly onLearned?: () => void;
}

export const LONGEST_STRETCH = 40;
/** Deviations below it are no difference. */
const LEAST_DEVIATION = 0.05;
/** Share of chance that Exp3 spreads over all arms alike. */
const EXP3_GAMMA = 0.15;
/** Pseudo-stretches of the normal-gamma prior, which has every arm as good as all. */
const PRIOR_PULLS = 1;

export function createBandit({
  name,
  algorithm,
  arms: policies,
  state,
  onLearned,
}: BanditOptions): BanditPolicy {
  const followed = policies.map(amongAll);
  const fits = state !== undefined && belongsTo(state, algorithm, policies);
  const arms: Arm[] = fits
    ? state.arms.map((arm) => ({ ...arm }))
    : policies.map((policy) => ({
        name: policy.name,
        pulls: 0,
        mean: 0,
        squares: 0,
        reward: 0,
        logWeight: 0,
      }));
  const all = fits ? { ...state.all } : { pulls: 0, mean: 0, squares: 0 };
  const stretch = fits ? { ...state.stretch } : { arm: -1, chance: 1, cost: 0, ended: 0 };
  let goals: GoalWeights = DEFAULT_GOALS;
  let load: Load | null = null;
  let sinceMs = 0;

  const endStretch = (): void => {
    const { arm: index, ended, cost, chance } = stretch;
    Object.assign(stretch, { arm: -1, cost: 0, ended: 0 });
    // Where no job ended there is nothing to be learned.
    if (index < 0 || ended === 0 || !(cost > 0)) return;
    const x = Math.log(cost / ended);
    const arm = arms[index]!;
    count(all, x);
    count(arm, x);
    const reward = 1 / (1 + Math.exp((x - all.mean) / deviationOf(all)));
    arm.reward += reward;
    arm.logWeight += (EXP3_GAMMA * reward) / (chance * arms.length);
    const highest = Math.max(...arms.map(({ logWeight }) => logWeight));
    for (const other of arms) other.logWeight -= highest;
    onLearned?.();
  };

  return {
    name,
    version: '1',
    preempts: true,
    get follows() {
      return arms[stretch.arm]?.name ?? null;
    },
    reviewAfterS: (snapshot, history) =>
      followed[stretch.arm]?.reviewAfterS?.(snapshot, history) ?? Number.POSITIVE_INFINITY,
    advance(next, nowMs) {
      if (load !== null && nowMs > sinceMs) {
        stretch.cost += scalarise(costRates(load), goals) * ((nowMs - sinceMs) / 1000);
      }
      if (load !== null) {
        const before = load.waiting + load.running;
        stretch.ended += Math.max(0, before - next.waiting - next.running);
      }
      load = next;
      sinceMs = nowMs;
      if (stretch.ended >= LONGEST_STRETCH) endStretch();
    },
    idle: endStretch,
    choose(input: PolicyInput) {
      goals = input.snapshot.goals;
      if (stretch.arm < 0) Object.assign(stretch, pick(algorithm, arms, all, input.rng));
      return followed[stretch.arm]!.choose(input);
    },
    save: () => ({
      algorithm,
      arms: arms.map((arm) => ({ ...arm })),
      all: { ...all },
      stretch: { ...stretch },
    }),
  };
}

/** Whether a state is whole, and of this bandit. It may have been written by another version, or by nobody. */
function belongsTo(state: BanditState, algorithm: BanditAlgorithm, policies: readonly Policy[]): boolean {
  if (state.algorithm !== algorithm || !Array.isArray(state.arms) || state.arms.length !== policies.length) {
    return false;
  }
  const { all, arms, stretch } = state;
  const numbers = [
    ...[all?.pulls, all?.mean, all?.squares, stretch?.arm, stretch?.chance, stretch?.cost, stretch?.ended],
    ...arms.flatMap((arm) => [arm?.pulls, arm?.mean, arm?.squares, arm?.reward, arm?.logWeight]),
  ];
  const named = arms.every((arm, i) => arm?.name === policies[i]!.name);
  return named && numbers.every(Number.isFinite) && stretch.arm < policies.length;
}

interface Moments {
  pulls: number;
  mean: number;
  squares: number;
}

function count(moments: Moments, x: number): void {
  moments.pulls++;
  const from = x - moments.mean;
  moments.mean += from / moments.pulls;
  moments.squares += from * (x - moments.mean);
}

function deviationOf({ pulls, squares }: Moments): number {
  return Math.max(LEAST_DEVIATION, pulls < 2 ? 1 : Math.sqrt(squares / (pulls - 1)));
}

/** The arm of the next stretch, and the chance that it had to be. */
function pick(
  algorithm: BanditAlgorithm,
  arms: readonly Arm[],
  all: Moments,
  rng: Rng,
): { arm: number; chance: number } {
  switch (algorithm) {
    case 'ucb1': {
      // Auer, Cesa-Bianchi & Fischer 2002, "Finite-time analysis of the multiarmed bandit problem": each once at first.
      const untried = arms.findIndex(({ pulls }) => pulls === 0);
      if (untried >= 0) return { arm: untried, chance: 1 };
      const bound = ({ pulls, reward }: Arm): number =>
        reward / pulls + Math.sqrt((2 * Math.log(all.pulls)) / pulls);
      return { arm: highest(arms.map(bound)), chance: 1 };
    }
    case 'thompson':
      // Thompson 1933; normal x with a normal-gamma prior (Murphy, "Conjugate Bayesian analysis of the Gaussian", 2007).
      return { arm: highest(arms.map((arm) => -drawnMean(arm, all, rng))), chance: 1 };
    case 'exp3': {
      // Auer, Cesa-Bianchi, Freund & Schapire 2002, "The nonstochastic multiarmed bandit problem".
      const weights = arms.map(({ logWeight }) => Math.exp(logWeight));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const chances = weights.map((weight) => ((1 - EXP3_GAMMA) * weight) / total + EXP3_GAMMA / arms.length);
      let left = rng.next();
      const found = chances.findIndex((chance) => {
        left -= chance;
        return left < 0;
      });
      const arm = found < 0 ? arms.length - 1 : found;
      return { arm, chance: chances[arm]! };
    }
  }
}

/** A draw of an arm's mean of x from what is believed of it. */
function drawnMean({ pulls, mean, squares }: Arm, all: Moments, rng: Rng): number {
  const spread = deviationOf(all) ** 2;
  const kappa = PRIOR_PULLS + pulls;
  const centre = (PRIOR_PULLS * all.mean + pulls * mean) / kappa;
  const shape = 1 + pulls / 2;
  const rate = spread + squares / 2 + (PRIOR_PULLS * pulls * (mean - all.mean) ** 2) / (2 * kappa);
  const precision = Math.max(1e-12, randomGamma(rng, shape) / rate);
  return centre + randomNormal(rng) / Math.sqrt(kappa * precision);
}

/** Index of the largest; the first of equals. */
function highest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}
