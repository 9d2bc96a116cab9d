import {
  addParts,
  costRates,
  DISCOUNT_RATE_PER_S,
  discountOver,
  type Load,
  type RewardParts,
  rewardOver,
  ZERO_PARTS,
} from '../domain/reward.ts';
import { type Rng, randomInt } from '../domain/rng.ts';
import { type CandidateRows, MAX_STORED_ROWS, type Transition } from './transition.ts';

/** A decision that somebody took, as the network would see it. */
export interface DecidedStep {
  readonly decisionId: number;
  readonly episodeId: number | null;
  readonly atMs: number;
  /** rows × featureCount: the candidates that were allowed. */
  readonly features: Float32Array;
  readonly rows: number;
  readonly chosenRow: number;
  readonly goals: RewardParts;
  /** See {@link Transition.demonstrated}. */
  readonly demonstrated?: boolean;
}

export interface RecorderOptions {
  /** Called with each transition as soon as it is complete. */
  readonly onTransition: (transition: Transition) => void;
  /** Thins candidate sets that are too large to store. */
  readonly rng: Rng;
  /** Cost integrals of an episode that was under way when the engine stopped. */
  readonly parts?: RewardParts;
  readonly betaPerS?: number;
  /** Candidates of a decision that are kept; {@link MAX_STORED_ROWS} when left out. */
  readonly mostRows?: number;
}

interface Pending {
  readonly step: DecidedStep;
  readonly state: CandidateRows;
  readonly chosen: number;
  reward: RewardParts;
  discount: number;
}

/**
 * Turns the stream of loads and decisions, live or simulated, into semi-Markov transitions (Bradtke & Duff 1995)
 * and sums up the episode's costs. Times come from the caller and may stand still; if they run backwards, the
 * stretch counts as nothing.
 */
export class Recorder {
  private readonly options: RecorderOptions;
  private readonly betaPerS: number;
  private load: Load | null = null;
  private sinceMs = 0;
  private pending: Pending | null = null;
  private parts: RewardParts;

  constructor(options: RecorderOptions) {
    this.options = options;
    this.betaPerS = options.betaPerS ?? DISCOUNT_RATE_PER_S;
    this.parts = options.parts ?? ZERO_PARTS;
  }

  /** −∫ c_k dt of the episode so far, in seconds: Episode.rewardParts. */
  get episodeParts(): RewardParts {
    return this.parts;
  }

  /**
   * Books the time since the last call at the load that held *then*, and takes `load` for the time to come. To be
   * called at every change: arrivals, starts, completions, and before each decision.
   */
  advance(load: Load, nowMs: number): void {
    const dtS = (nowMs - this.sinceMs) / 1000;
    if (this.load !== null && dtS > 0) {
      const rates = costRates(this.load);
      this.parts = addParts(this.parts, rates, -dtS);
      if (this.pending !== null) {
        const { reward, discount } = this.pending;
        this.pending.reward = addParts(reward, rewardOver(rates, dtS, this.betaPerS), discount);
        this.pending.discount = discount * discountOver(dtS, this.betaPerS);
      }
    }
    this.load = load;
    this.sinceMs = nowMs;
  }

  /** A decision was taken: completes the transition from the one before, and opens the next. */
  decided(step: DecidedStep): void {
    const { state, chosen } = thinned(step, this.options.rng, this.options.mostRows ?? MAX_STORED_ROWS);
    this.complete(state);
    this.pending = { step, state, chosen, reward: ZERO_PARTS, discount: 1 };
  }

  /**
   * The machine went idle, which ends the episode. `advance` must have booked the time until now.
   * @returns the episode's −∫ c_k dt in seconds.
   */
  idle(): RewardParts {
    this.complete(null);
    const parts = this.parts;
    this.parts = ZERO_PARTS;
    return parts;
  }

  /**
   * A decision was taken that the network did not see (the heuristic stood in, without features), or the clock
   * was set: what is pending cannot be completed truly, and is dropped.
   */
  abandon(): void {
    this.pending = null;
  }

  private complete(next: CandidateRows | null): void {
    if (this.pending === null) return;
    const { step, state, chosen, reward, discount } = this.pending;
    this.pending = null;
    this.options.onTransition({
      decisionId: step.decisionId,
      episodeId: step.episodeId,
      atMs: step.atMs,
      state,
      chosen,
      reward,
      discount,
      next,
      goals: step.goals,
      ...(step.demonstrated ? { demonstrated: true } : {}),
    });
  }
}

/** The step's rows, at most `most`: the chosen, the last (`wait`), and others at random, in order. */
function thinned(step: DecidedStep, rng: Rng, most: number): { state: CandidateRows; chosen: number } {
  const { features, rows, chosenRow } = step;
  if (rows <= most) return { state: { features, rows }, chosen: chosenRow };
  const kept = new Set([chosenRow, rows - 1]);
  while (kept.size < most) kept.add(randomInt(rng, rows));
  const order = [...kept].sort((a, b) => a - b);
  const width = features.length / rows;
  const out = new Float32Array(order.length * width);
  order.forEach((row, i) => {
    out.set(features.subarray(row * width, (row + 1) * width), i * width);
  });
  return { state: { features: out, rows: order.length }, chosen: order.indexOf(chosenRow) };
}
