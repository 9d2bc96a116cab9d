import { type Rng, randomInt, randomNormal, seededRng } from '../domain/rng.ts';
import type { TraceJob } from '../domain/trace.ts';
import { DEFAULT_LIMITS, type PastRun, type ShieldLimits, type TimeSpread } from '../scheduler/snapshot.ts';
import { kindOf } from './generator/commandName.ts';
import { type GpuType, JOB_KINDS, ruleOfThumbSpeed, soloOf, speedBeside } from './interference.ts';
import { pastOf } from './pastCommands.ts';
import { spreadAround } from './spread.ts';
import type { OwnerPresence, SimulatedJob, SimulatedWorld } from './world.ts';

export const REGIME_NAMES = ['lab', 'hints', 'workstation'] as const;
export type RegimeName = (typeof REGIME_NAMES)[number];

/** Under what circumstances a trace is replayed: everything that a trace does not say. */
export interface Regime {
  readonly about: string;
  /** Whether jobs may share a GPU. */
  readonly shares: boolean;
  readonly limits: ShieldLimits;
  /** Who gets a prediction, and how wrong it is: σ of ln(predicted / true). null: nobody. */
  readonly predictions: { readonly of: 'all' | 'repeated'; readonly sigma: number } | null;
  /**
   * Where the trace has no names, the share of jobs that repeat an earlier command. In Helios, most jobs are such
   * (Hu et al., SC '21, build their predictor on it); the number is our choice.
   */
  readonly repeatedShare: number;
  /** Share of jobs that can be stopped and go on from a checkpoint. */
  readonly restartableShare: number;
  /** Share of jobs that run on any number of GPUs from 1 to `elasticMost`, and how their speed grows: g to the power of this. */
  readonly elasticShare: number;
  readonly elasticMost: number;
  readonly scalingExponent: number;
  /** Work between two checkpoints. */
  readonly checkpointEveryS: number;
  /** To load a checkpoint: uniform between these. */
  readonly restartS: readonly [least: number, most: number];
  /** From a start to the first step of work. */
  readonly startS: number;
  /** Share of jobs that do not declare their memory, and of jobs that declare too little of it, and how much of it. */
  readonly undeclaredShare: number;
  readonly squeezedShare: number;
  readonly squeezedDeclares: number;
  /** Memory at first, as a share of the peak, and until when. */
  readonly growth: { readonly share: number; readonly untilS: number } | null;
  readonly failuresPerGpuDay: number;
  readonly owner: OwnerPresence | null;
  /** Hour of the day at which a trace begins. */
  readonly startsAtH: number;
  /** Names and weights of users, and priorities and their weights, where the trace has none. */
  readonly users: readonly (readonly [name: string, weight: number])[];
  readonly priorities: readonly (readonly [priority: number, weight: number])[];
}

const FREE: ShieldLimits = {
  starvationAgeS: Number.POSITIVE_INFINITY,
  memoryMarginMib: 0,
  mostPerDevice: 2,
  maxPreemptions: Number.POSITIVE_INFINITY,
  minSpellS: 0,
  mayPause: false,
};

/** The world of most papers: policies are seen as they are, without the shield and without costs. */
const LAB: Regime = {
  about: 'exclusive GPUs, free preemption, nothing known of durations',
  shares: false,
  limits: FREE,
  predictions: null,
  repeatedShare: 0,
  restartableShare: 1,
  elasticShare: 0,
  elasticMost: 1,
  scalingExponent: 1,
  checkpointEveryS: 0,
  restartS: [0, 0],
  startS: 0,
  undeclaredShare: 0,
  squeezedShare: 0,
  squeezedDeclares: 1,
  growth: null,
  failuresPerGpuDay: 0,
  owner: null,
  startsAtH: 0,
  users: [['user', 1]],
  priorities: [[0, 1]],
};

export const REGIMES: Readonly<Record<RegimeName, Regime>> = {
  lab: LAB,
  hints: {
    ...LAB,
    about: 'as lab, with a prediction of every duration, σ of its logarithm 0.7',
    // About what history-based predictors reach on recurring jobs; the measure that this project's figures are agreed on.
    predictions: { of: 'all', sigma: 0.7 },
  },
  workstation: {
    about:
      'what an owner has: shared GPUs, memory, checkpoints, jobs that cannot be stopped, predictions for repeated commands only, the owner at the screen',
    shares: true,
    // Traces have jobs that run for days: under the six hours of a fresh install hardly a decision would be the policy's.
    // Two to a GPU: nobody measured more.
    limits: { ...DEFAULT_LIMITS, starvationAgeS: 72 * 3600, mostPerDevice: 2, mayPause: true },
    predictions: { of: 'repeated', sigma: 0.7 },
    repeatedShare: 0.7,
    restartableShare: 0.6,
    elasticShare: 0.2,
    elasticMost: 4,
    // Four GPUs do three times the work of one: between linear scaling and what slow interconnects leave. Our choice.
    scalingExponent: 0.8,
    // Half an hour of work is what people accept to lose. Our choice.
    checkpointEveryS: 1800,
    restartS: [30, 180],
    // Imports, CUDA's context and the first batches of data. Our choice.
    startS: 20,
    undeclaredShare: 0.1,
    squeezedShare: 0.01,
    squeezedDeclares: 0.6,
    // Allocators and the largest batch take their time: 60 % at first, all of it after ten minutes. Our choice.
    growth: { share: 0.6, untilS: 600 },
    // A crash that is nobody's fault in a hundred GPU-days, at most twice for one job. Our choice.
    failuresPerGpuDay: 0.01,
    // The desktop, a browser and a notebook take 2 GiB; jobs beside somebody who works run at half speed. Our choice.
    owner: { device: 0, fromH: 9, toH: 19, foreignMib: 2048, speed: 0.5 },
    startsAtH: 8,
    users: [
      ['ada', 0.6],
      ['ben', 0.3],
      ['cho', 0.1],
    ],
    priorities: [
      [0, 0.7],
      [10, 0.2],
      [-10, 0.1],
    ],
  },
};

export interface RegimeOptions {
  readonly gpus: number;
  /** Of each GPU; 24 GiB when left out. */
  readonly vramMib?: number;
  /** Of everything that is drawn: the same job gets the same under every policy. */
  readonly seed: number;
  /** Whose measured interference; `v100` when left out. */
  readonly gpuType?: GpuType;
  /** Whether jobs may share; as the regime says when left out. */
  readonly share?: boolean;
  /** GPU-seconds that earlier jobs took, ascending. */
  readonly history?: readonly number[];
  /** The latest of them one by one. */
  readonly past?: readonly PastRun[];
}

export const DEFAULT_VRAM_MIB = 24 * 1024;

/**
 * The world in which jobs of a trace run under a regime. The i-th job gets id i + 1. What is drawn for a job depends on
 * the seed and its place in `jobs` alone.
 * @param jobs sorted by submission; none larger than the machine.
 */
export function worldOf(name: RegimeName, jobs: readonly TraceJob[], options: RegimeOptions): SimulatedWorld {
  const regime = REGIMES[name];
  const {
    gpus,
    vramMib = DEFAULT_VRAM_MIB,
    seed,
    gpuType = 'v100',
    history = [],
    past: earlier = [],
  } = options;
  const shares = options.share ?? regime.shares;
  const past = pastOf(jobs);
  const { growth, owner, limits, startS, scalingExponent, failuresPerGpuDay, startsAtH } = regime;
  return {
    devicesMib: Array.from({ length: gpus }, () => vramMib),
    jobs: jobs.map((job, i) =>
      dress(job, i, regime, { gpus, vramMib, shares, seed, learned: past[i] ?? null }),
    ),
    limits,
    startS,
    scalingExponent,
    failuresPerGpuDay,
    startsAtH,
    history,
    past: earlier,
    seed,
    ...(growth === null ? {} : { growth }),
    ...(owner === null ? {} : { owner }),
    ...(shares ? { speedBeside: (job, neighbours) => measuredSpeed(gpuType, job, neighbours) } : {}),
  };
}

interface Circumstances {
  readonly gpus: number;
  readonly vramMib: number;
  readonly shares: boolean;
  readonly seed: number;
  /** What earlier jobs of the same command tell. */
  readonly learned: TimeSpread | null;
}

/** Draws in a fixed order, so that a number that is changed in a regime changes nothing else. */
function dress(job: TraceJob, index: number, regime: Regime, given: Circumstances): SimulatedJob {
  const { gpus, vramMib, shares, seed, learned } = given;
  const rng = seededRng(seed * 1_000_003 + index * 7919 + 17);
  const kind = (job.name === null ? null : kindOf(job.name)) ?? JOB_KINDS[randomInt(rng, JOB_KINDS.length)]!;
  const solo = soloOf(kind);
  const user = job.user ?? drawn(rng, regime.users);
  const priority = job.priority ?? drawn(rng, regime.priorities);
  const restartable = rng.next() < regime.restartableShare;
  const elastic = rng.next() < regime.elasticShare && job.gpus <= regime.elasticMost;
  const [least, most] = regime.restartS;
  const restartS = least + (most - least) * rng.next();
  const memory = rng.next();
  const noise = randomNormal(rng);
  const repeated = rng.next() < regime.repeatedShare;
  const peakMib = Math.min(vramMib, job.vramMib ?? solo.vramMib);
  const declaredMib =
    memory < regime.undeclaredShare
      ? null
      : memory < regime.undeclaredShare + regime.squeezedShare
        ? Math.round(regime.squeezedDeclares * peakMib)
        : peakMib;
  return {
    id: index + 1,
    submittedAtS: job.submitS,
    durationS: job.durationS,
    predicted: predictionOf(job, regime, { noise, repeated, learned }),
    gpus: job.gpus,
    ...(elastic ? { minGpus: 1, maxGpus: Math.min(gpus, regime.elasticMost) } : {}),
    // Where nobody shares, memory is no question.
    vramMib: shares ? declaredMib : null,
    peakMib: shares ? peakMib : 0,
    exclusive: !shares,
    priority,
    user,
    gpuUtil: job.gpuUtil ?? solo.gpuUtil,
    kind,
    command: job.name,
    restartable,
    checkpointEveryS: regime.checkpointEveryS,
    restartS,
  };
}

function predictionOf(
  job: TraceJob,
  { predictions }: Regime,
  drawnFor: { readonly noise: number; readonly repeated: boolean; readonly learned: TimeSpread | null },
): TimeSpread | null {
  if (predictions === null) return null;
  const { noise, repeated, learned } = drawnFor;
  if (predictions.of === 'repeated') {
    if (job.name !== null) return learned;
    if (!repeated) return null;
  }
  return spreadAround(job.durationS * Math.exp(predictions.sigma * noise), predictions.sigma);
}

function drawn<T>(rng: Rng, weighted: readonly (readonly [T, number])[]): T {
  let left = rng.next();
  for (const [value, weight] of weighted) {
    left -= weight;
    if (left < 0) return value;
  }
  return weighted.at(-1)![0];
}

/** As measured; by the rule of thumb where a pair was not measured because it did not fit the measured GPU's memory. */
function measuredSpeed(gpuType: GpuType, job: SimulatedJob, neighbours: readonly SimulatedJob[]): number {
  const measured = speedBeside(
    gpuType,
    job.kind!,
    neighbours.map(({ kind }) => kind!),
  );
  if (measured > 0) return measured;
  return ruleOfThumbSpeed([job, ...neighbours].reduce((sum, { gpuUtil }) => sum + (gpuUtil ?? 1), 0));
}
