import { normalCdf, normalQuantile } from '../domain/normal.ts';
import type { PredictionSource } from '../domain/predictionSource.ts';
import { remember } from '../domain/remember.ts';
import { countBelow } from '../domain/sorted.ts';
import type { TimeSpread } from './snapshot.ts';

/** What a run has in common with others, from everything to the very same command. */
export interface RunKeys {
  readonly project: string;
  readonly user: string;
  /** What is run, whatever its arguments, such as `python train.py`. */
  readonly script: string;
  /** The command with all its arguments, and the number of GPUs. */
  readonly exact: string;
}

/** A run that is over. */
export interface FinishedRun extends RunKeys {
  /** Pauses not counted. Seconds, above 0. */
  readonly durationS: number;
  /** What the submitter guessed. Seconds; null: nothing. */
  readonly estimateS: number | null;
}

/** How far a run is, by its own word. */
export interface RunProgress {
  /** 0 to 1. */
  readonly fraction: number;
  /** How long it had run when it said so. Seconds. */
  readonly ranS: number;
}

/** ln(duration in seconds) is taken to be normal. */
export interface DurationPrediction {
  /** Mean of the logarithm. */
  readonly mu: number;
  /** Its standard deviation. */
  readonly sigma: number;
  /** What tells most. */
  readonly source: PredictionSource;
}

/** How often durations fell into the band from the 10th to the 90th percentile that was predicted for them. */
export interface Calibration {
  readonly runs: number;
  /** Of them; 0.8 would be perfect. null: none yet. */
  readonly within: number | null;
}

interface Level {
  readonly source: PredictionSource;
  readonly key: (run: RunKeys) => string;
  /** Runs that must be known before it says anything. */
  readonly least: number;
  /** Standard deviation of ln(duration) within a key, where nothing is known yet. */
  readonly within: number;
  /** How far keys lie from their parent, standard deviation of the logarithm. */
  readonly between: number;
}

/**
 * From the general to the particular. The deviations are our choice: runs of one command differ by a factor of two, those of
 * one script by four, and anything by twenty. They fade: two runs weigh as much as they do.
 */
const LEVELS: readonly Level[] = [
  { source: 'all', key: () => '', least: 5, within: 2, between: 3 },
  {
    source: 'project',
    key: ({ project, user }) => `${user}\0${project}`,
    least: 3,
    within: 1.6,
    between: 1.5,
  },
  {
    source: 'script',
    key: ({ project, script }) => `${project}\0${script}`,
    least: 1,
    within: 1,
    between: 1.2,
  },
  { source: 'command', key: ({ exact }) => exact, least: 1, within: 0.5, between: 0.8 },
];
/** Runs that the deviations above count for. */
const PRIOR_RUNS = 2;
/** A run counts this much less with each later one of its key, so that what changed is forgotten. */
const FADE = 0.97;
/** However alike the runs were. */
const LEAST_SIGMA = 0.05;
/** People guess within a factor of three, at first; what they are off by is learned for each user. */
const GUESS_SIGMA = 0.9;
/** Progress below this says too little of the rate. */
const LEAST_PROGRESS = 0.02;
/** Spread of a duration that is told by progress, at its beginning and at its end. */
const PROGRESS_SIGMA = { first: 0.6, last: 0.02 };
/** However sure the past is, a run that says how far it is may be unlike it. */
const LEAST_SIGMA_BESIDE_PROGRESS = 0.25;
/** So many commands are remembered, and so many of what is above them: an engine may see ever new ones for months. */
export const MOST_KEYS = 2000;
/** Predictions that the calibration rests on, and how many count for "as it should be". */
const CALIBRATED_ON = 200;
const CALIBRATION_PRIOR = 20;
/** Standard normal deviate of the 90th percentile. */
const Z90 = 1.2815515655446004;

/**
 * Predicts how long jobs run from how long others ran: a hierarchy (everything, project, script, command) of normal
 * distributions of ln(duration). Each level shrinks towards the one above by the precision of what it has seen (empirical
 * Bayes; Gelman et al., "Bayesian Data Analysis", ch. 5), the submitter's guess and the job's own progress are combined
 * with it by precision, and the spread is stretched so that eight of ten durations fall between the 10th and the 90th
 * percentile (split conformal prediction; Vovk, Gammerman & Shafer 2005).
 *
 * Pure: what it knows is what it was told, in that order.
 */
export class DurationModel {
  private readonly known: readonly Map<string, Seen>[] = LEVELS.map(() => new Map());
  private readonly guesses = new Map<string, Seen>();
  /** |ln(duration) − μ| / σ of the latest predictions, unstretched. */
  private readonly misses: number[] = [];
  /** The same, ascending. */
  private readonly sorted: number[] = [];
  private readonly hits: boolean[] = [];
  private stretched = 1;
  /** Grows with every run that is told, so that what was predicted may be kept until then. */
  version = 0;

  /** Learns from a run, after comparing it with what would have been predicted. */
  learn(run: FinishedRun): void {
    const logS = Math.log(Math.max(1e-3, run.durationS));
    const expected = this.unstretched(run, run.estimateS);
    if (expected !== null) {
      const miss = Math.abs(logS - expected.mu) / expected.sigma;
      keep(this.hits, miss <= Z90 * this.stretched);
      const gone = keep(this.misses, miss);
      if (gone !== undefined) this.sorted.splice(countBelow(this.sorted, gone), 1);
      this.sorted.splice(countBelow(this.sorted, miss), 0, miss);
      this.stretched = stretchOf(this.sorted);
    }
    for (const [i, { key }] of LEVELS.entries()) add(this.known[i]!, key(run), logS);
    if (run.estimateS !== null) add(this.guesses, run.user, logS - Math.log(run.estimateS));
    this.version++;
  }

  /** How long a run takes in all; null: nothing is known of anything like it. */
  predict(
    run: RunKeys,
    estimateS: number | null,
    progress: RunProgress | null = null,
  ): DurationPrediction | null {
    const told = this.unstretched(run, estimateS);
    const before = told === null ? null : { ...told, sigma: told.sigma * this.stretched };
    if (progress === null || progress.fraction < LEAST_PROGRESS || progress.ranS <= 0) return before;
    const left = 1 - Math.min(1, progress.fraction);
    const own: DurationPrediction = {
      mu: Math.log(progress.ranS / Math.min(1, progress.fraction)),
      sigma: PROGRESS_SIGMA.last + (PROGRESS_SIGMA.first - PROGRESS_SIGMA.last) * left,
      source: 'progress',
    };
    if (before === null) return own;
    return combined({ ...before, sigma: Math.max(before.sigma, LEAST_SIGMA_BESIDE_PROGRESS) }, own);
  }

  get calibration(): Calibration {
    const runs = this.hits.length;
    return { runs, within: runs === 0 ? null : this.hits.filter(Boolean).length / runs };
  }

  private unstretched(run: RunKeys, estimateS: number | null): DurationPrediction | null {
    let found: { mu: number; within: number; doubt: number; source: PredictionSource } | null = null;
    LEVELS.forEach((level, i) => {
      const seen = this.known[i]!.get(level.key(run));
      if (seen === undefined || seen.runs < level.least) return;
      const variance = varianceOf(seen, level.within);
      const parent = found;
      const prior = parent === null ? 0 : 1 / (level.between ** 2 + parent.doubt);
      const precision = seen.weight / variance + prior;
      const mu =
        ((seen.mean * seen.weight) / variance + (parent === null ? 0 : parent.mu * prior)) / precision;
      found = { mu, within: variance, doubt: 1 / precision, source: level.source };
    });
    const history = found as { mu: number; within: number; doubt: number; source: PredictionSource } | null;
    const past: DurationPrediction | null =
      history === null
        ? null
        : {
            mu: history.mu,
            sigma: Math.max(LEAST_SIGMA, Math.sqrt(history.within + history.doubt)),
            source: history.source,
          };
    if (estimateS === null) return past;
    const off = this.guesses.get(run.user);
    const variance = off === undefined ? GUESS_SIGMA ** 2 : varianceOf(off, GUESS_SIGMA);
    // Half of what somebody was off by so far, if it was twice.
    const bias = off === undefined ? 0 : (off.mean * off.weight) / (off.weight + PRIOR_RUNS);
    const guess: DurationPrediction = {
      mu: Math.log(estimateS) + bias,
      sigma: Math.max(LEAST_SIGMA, Math.sqrt(variance)),
      source: 'estimate',
    };
    return past === null ? guess : combined(past, guess);
  }
}

/** Running mean and variance of ln(seconds), where older runs fade (West 1979). */
interface Seen {
  runs: number;
  weight: number;
  mean: number;
  squares: number;
}

function add(known: Map<string, Seen>, key: string, value: number): void {
  const seen = known.get(key) ?? { runs: 0, weight: 0, mean: 0, squares: 0 };
  remember(known, key, seen, MOST_KEYS);
  seen.runs++;
  seen.weight = FADE * seen.weight + 1;
  const off = value - seen.mean;
  seen.mean += off / seen.weight;
  seen.squares = FADE * seen.squares + off * (value - seen.mean);
}

function varianceOf({ weight, squares }: Seen, within: number): number {
  return (squares + PRIOR_RUNS * within ** 2) / (Math.max(0, weight - 1) + PRIOR_RUNS);
}

function combined(a: DurationPrediction, b: DurationPrediction): DurationPrediction {
  const [wa, wb] = [1 / a.sigma ** 2, 1 / b.sigma ** 2];
  return {
    mu: (a.mu * wa + b.mu * wb) / (wa + wb),
    sigma: Math.sqrt(1 / (wa + wb)),
    source: wa > wb ? a.source : b.source,
  };
}

/** @returns the one that is forgotten for it, if any. */
function keep<T>(values: T[], value: T): T | undefined {
  values.push(value);
  return values.length > CALIBRATED_ON ? values.shift() : undefined;
}

/** By how much spreads are too narrow, judged by the 80th percentile of the misses, which are given in order. */
function stretchOf(sorted: readonly number[]): number {
  const measured = sorted[Math.min(sorted.length - 1, Math.ceil(0.8 * (sorted.length + 1)) - 1)]! / Z90;
  const weight = sorted.length / (sorted.length + CALIBRATION_PRIOR);
  return Math.exp(weight * Math.log(Math.max(0.1, measured)));
}

/**
 * Quantiles of what is left of a run that has gone on for `ranS` and not ended: of the log-normal, given that it is
 * longer. In seconds, above 0.
 */
export function remainingAfter({ mu, sigma }: DurationPrediction, ranS: number): TimeSpread {
  return {
    p10S: leftS(mu, sigma, ranS, 0.1),
    p50S: leftS(mu, sigma, ranS, 0.5),
    p90S: leftS(mu, sigma, ranS, 0.9),
  };
}

/** The p-quantile of what is left. */
function leftS(mu: number, sigma: number, ranS: number, p: number): number {
  const z = ranS > 0 ? (Math.log(ranS) - mu) / sigma : Number.NEGATIVE_INFINITY;
  // Far beyond what was predicted: about exponential, with the hazard rate of the log-normal there, z / (σ t).
  if (z > 5) return (-Math.log(1 - p) * sigma * ranS) / z;
  const survived = normalCdf(-z);
  return Math.max(1e-3, Math.exp(mu - sigma * normalQuantile(survived * (1 - p))) - Math.max(0, ranS));
}
