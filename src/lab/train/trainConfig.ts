import { z } from 'zod';
import { FieldError } from '../../domain/errors.ts';
import { PRESET_NAMES } from '../../simulator/generator/generate.ts';
import { GPU_TYPES } from '../../simulator/interference.ts';
import { REGIME_NAMES } from '../../simulator/regimes.ts';

const share = z.number().min(0).max(1);
const whole = (least: number, most = 1e9) => z.int().min(least).max(most);
const positive = z.number().positive();
const range = (least: number, most: number) =>
  z
    .tuple([z.number().min(least).max(most), z.number().min(least).max(most)])
    .refine(([from, to]) => from <= to, 'give the smaller number first');
const weights = <T extends string>(names: readonly T[]) =>
  z.partialRecord(z.enum(names as [T, ...T[]]), z.number().min(0));

/** A workload: a preset of the generator, or a trace file (from where the configuration lies). */
const sourceSchema = z.union([
  z.strictObject({ preset: z.enum(PRESET_NAMES as [string, ...string[]]), weight: positive.default(1) }),
  z.strictObject({ trace: z.string().min(1), weight: positive.default(1) }),
]);

/** From what machines are drawn. Each is a world of its own, named by its number. */
const worldsSchema = z
  .strictObject({
    /** Number of GPUs; each is as likely. */
    gpus: z.array(whole(1, 64)).min(1).default([1, 2, 3, 4, 6, 8]),
    /** Offered load, uniform from and to. */
    load: range(0.01, 2).default([0.4, 1.2]),
    /** Jobs of a world, from and to. */
    jobs: range(2, 10_000).default([60, 150]),
    /** Weights of the regimes. */
    regimes: weights(REGIME_NAMES).default({ lab: 1, hints: 1, workstation: 2 }),
    /** Weights of how GPUs are shared: as the regime says, always allowed, never. */
    sharing: weights(['regime', 'on', 'off'] as const).default({ regime: 2, on: 1, off: 1 }),
    /** Whose measured interference; each is as likely. */
    gpuTypes: z.array(z.enum(GPU_TYPES)).min(1).default(['v100']),
    sources: z
      .array(sourceSchema)
      .min(1)
      .default(PRESET_NAMES.map((preset) => ({ preset, weight: 1 }))),
    /** Share of worlds whose owner has other goals than the default: each weight uniform from 0 to `mostGoal`. */
    otherGoalsShare: share.default(0.25),
    mostGoal: positive.default(2),
  })
  .prefault({});

/** The network. */
const networkSchema = z
  .strictObject({
    /** Units of the hidden layers. */
    hidden: z.array(whole(1, 1024)).min(1).max(6).default([64, 64]),
    dueling: z.boolean().default(true),
    /** Quantiles of the return; 1: its mean. */
    quantiles: whole(1, 64).default(1),
    /** Members of the ensemble. */
    members: whole(1, 16).default(1),
    /** Probability with which a member learns from a decision. */
    memberShare: share.default(0.5),
    /** A feature that is added to each score, and what one unit of it is worth in Q; null: none. */
    prior: z.strictObject({ feature: z.string(), scale: z.number() }).nullable().default(null),
  })
  .prefault({});

/** How it learns. */
const learningSchema = z
  .strictObject({
    /** Time that counts e⁻¹: of so many arrivals at the world's own rate, or of so many seconds. */
    horizon: z
      .union([z.strictObject({ arrivals: positive }), z.strictObject({ seconds: positive })])
      .default({ arrivals: 30 }),
    /** Steps in which time passes that a return looks ahead before it asks the network. */
    nStep: whole(1, 1000).default(5),
    double: z.boolean().default(true),
    /** Decisions per gradient step. */
    batchSize: whole(1, 4096).default(64),
    /** Adam's step size, falling linearly to `finalLearningRate`. */
    learningRate: positive.max(1).default(3e-4),
    finalLearningRate: positive.max(1).default(3e-5),
    adamEpsilon: positive.default(1e-7),
    /** Error beyond which the loss grows linearly; units of Q. */
    huberDelta: positive.default(1),
    maxGradientNorm: positive.default(10),
    /** Share of the online weights that the target takes over at each step. */
    polyakTau: share.default(0.005),
    /** Decisions kept. */
    replayCapacity: whole(64, 4e6).default(60_000),
    /** α of prioritised replay; 0: uniform. */
    priorityExponent: share.default(0.6),
    /** β of its importance weights at first; it rises to 1. */
    importanceExponent: share.default(0.4),
    /** The last layers begin anew after so many steps; 0: never. */
    resetEverySteps: whole(0).default(0),
  })
  .prefault({});

const trainConfigSchema = z.strictObject({
  /** Names the weights. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{0,40}$/, 'use small letters, digits, dots and hyphens')
    .default('trained'),
  /** q: Q-learning, for `dqn`. pg: policy gradient, for `pg`; demonstrations and replay have no part in it. */
  algorithm: z.enum(['q', 'pg']).default('q'),
  /** True: it learns to preempt, pause and resume too, and not only what to launch. */
  preempts: z.boolean().default(true),
  /** Of everything that is random. */
  seed: whole(1, 2 ** 31 - 1).default(1),
  worlds: worldsSchema,
  network: networkSchema,
  learning: learningSchema,
  /** A policy that is imitated first, and whose acts are kept and learned from to the end. */
  demonstrations: z
    .strictObject({
      policy: z.string().default('gittins'),
      /** Worlds that it runs. 0: no demonstrations. */
      worlds: whole(0, 1e6).default(200),
      /** Gradient steps on them before anything else. */
      steps: whole(0).default(4000),
      learningRate: positive.max(1).default(1e-3),
      /** By how much its acts are to be ahead; units of Q. */
      margin: z.number().min(0).default(0.02),
      /** Weight of that wish beside the loss of Q, at first and later. */
      marginWeight: z.number().min(0).default(1),
      laterMarginWeight: z.number().min(0).default(0.1),
      /** Share of later batches that is drawn from demonstrations. */
      laterShare: share.default(0.25),
      /** Decisions of demonstrations kept. */
      capacity: whole(64, 4e6).default(60_000),
    })
    .prefault({}),
  /** The agent's own acts. */
  interaction: z
    .strictObject({
      /** Worlds in all. */
      worlds: whole(0, 1e7).default(1600),
      /** Worlds between two updates of the acting weights. */
      worldsPerRound: whole(1, 1024).default(8),
      /** Gradient steps for each new decision. */
      stepsPerDecision: positive.max(64).default(0.1),
      /** ε, from the first world to `exploringWorlds`, linearly, and then the last. */
      firstEpsilon: share.default(0.1),
      lastEpsilon: share.default(0.01),
      exploringWorlds: whole(1).default(800),
      /** Standard deviations of the ensemble that are added to a score while learning (needs members > 1). */
      upperConfidence: z.number().min(0).default(0),
      /** Most candidates of a decision that are kept. */
      mostCandidates: whole(2, 1024).default(32),
    })
    .prefault({}),
  /** Of `pg`. */
  policyGradient: z
    .strictObject({
      /** Ways in which each world's jobs are scheduled; each is the others' baseline. */
      rollouts: whole(2, 64).default(4),
      /** Difference of scores that counts as one logit. */
      temperature: positive.default(0.03),
      /** Weight of the policy's entropy, which keeps it from settling too soon. */
      entropyWeight: z.number().min(0).default(0),
    })
    .prefault({}),
  /** By what the kept weights are chosen. */
  validation: z
    .strictObject({
      worlds: whole(1, 10_000).default(48),
      /** Another draw for other choices; never the seed of a training. */
      seed: whole(1, 2 ** 31 - 1).default(104_729),
      everySteps: whole(1).default(2000),
      /** Whom the ratios of mean completion times are to. */
      against: z.string().default('srtf'),
      /** Ends when the best did not improve by `least` in so many validations; 0: never. */
      patience: whole(0).default(0),
      least: z.number().min(0).default(1e-3),
    })
    .prefault({}),
});

/** A whole training. Every field may be left out. */
export type TrainConfig = z.output<typeof trainConfigSchema>;
export type WorldsConfig = TrainConfig['worlds'];

/**
 * A configuration with everything that was left out.
 * @throws {FieldError} naming the first field that cannot be used, such as `learning.nStep`.
 */
export function parseTrainConfig(content: unknown): TrainConfig {
  const result = trainConfigSchema.safeParse(content);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const field = [...issue.path, issue.keys[0]!].join('.');
    throw new FieldError(field, valueAt(content, field.split('.')), 'leave it out: there is no such setting');
  }
  const field = issue.path.join('.');
  const value = valueAt(content, issue.path);
  throw new FieldError(field === '' ? 'content' : field, value, remedyOf(issue.message));
}

const remedyOf = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1);

function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  let value = content;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
