/**
 * Trains the policy `dqn` of DeepRM's world:
 *
 *   node scripts/trainDeeprm.ts [--seed 1] [--steps 100000] [--out resources/policy]
 *
 * Double Q-learning from the network's own ε-greedy acts on generated sequences. Now and then the weights are tried on
 * validation sequences, and the best are kept. Training draws the seeds from 100,000 · (seed + 1) on, validation from
 * 50,000; the published sequences are those of seed 42.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FieldError } from '../src/domain/errors.ts';
import { seededRng } from '../src/domain/rng.ts';
import { QLearner, type QLearnerConfig } from '../src/learning/qLearner.ts';
import type { Trajectory } from '../src/learning/trajectory.ts';
import { encodeWeights, forward, type Weights } from '../src/scheduler/network.ts';
import { DEEPRM_FEATURES, deeprmCandidates } from '../src/simulator/deeprm/features.ts';
import { learnedDeeprm } from '../src/simulator/deeprm/learned.ts';
import { mersenneTwister } from '../src/simulator/deeprm/mersenneTwister.ts';
import { createDeeprmPolicy, type DeeprmPolicy } from '../src/simulator/deeprm/policies.ts';
import { generateSequences } from '../src/simulator/deeprm/sequences.ts';
import { type DeeprmSequence, DeeprmWorld, slowdownOf } from '../src/simulator/deeprm/world.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '100000' },
    out: { type: 'string', default: resolve(import.meta.dirname, '../resources/policy') },
  },
});
const seed = Number(options.seed);
if (!Number.isInteger(seed) || seed < 1)
  throw new FieldError('--seed', options.seed, 'give a whole number from 1');
const allSteps = Number(options.steps);
if (!Number.isInteger(allSteps) || allSteps < 1)
  throw new FieldError('--steps', options.steps, 'give a whole number from 1');

const STEPS = 50;
const RATES = [0.3, 0.7] as const;
/** Of one step of time. A long job holds its resources for 15. */
const DISCOUNT = 0.99;
const EPSILON = { first: 0.03, last: 0.01 };
const CONFIG: QLearnerConfig = {
  hidden: [64, 64],
  members: 1,
  quantiles: 1,
  dueling: true,
  preempts: false,
  double: true,
  nStep: 12,
  batchSize: 64,
  learningRate: 2e-4,
  adamEpsilon: 1e-7,
  huberDelta: 1,
  maxGradientNorm: 10,
  polyakTau: 0.005,
  replayCapacity: 100_000,
  demonstrationCapacity: 64,
  priorityExponent: 0.5,
  importanceExponent: 0.4,
  margin: 0,
  memberShare: 1,
  resetEverySteps: 0,
};
const STEPS_PER_DECISION = 0.12;
const EPISODES_AT_ONCE = 8;
const VALIDATE_EVERY_STEPS = 2000;

const sequencesOf = (seedOf: number, rate: number, episodes: number): DeeprmSequence[] =>
  generateSequences(mersenneTwister(seedOf), rate, episodes, STEPS);
const validation = RATES.map((rate, i) => sequencesOf(50_000 + i, rate, 150));

function meanSlowdown(sequences: readonly DeeprmSequence[], choose: DeeprmPolicy): number {
  let sum = 0;
  let jobs = 0;
  for (const sequence of sequences) {
    const world = new DeeprmWorld(sequence, { asPublished: true });
    while (!world.over) world.act(choose(world));
    for (const job of world.finished) sum += slowdownOf(job);
    jobs += world.finished.length;
  }
  return sum / jobs;
}

const KNOBS = [0, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1];
const tetris = validation.map((sequences) =>
  Math.min(...KNOBS.map((knob) => meanSlowdown(sequences, createDeeprmPolicy(`tetris:${knob}`, 0)))),
);

const bestOf = (q: Float32Array): number => q.reduce((best, value, i) => (value > q[best]! ? i : best), 0);

/** An episode under ε-greedy acts, as a trajectory. Rewards are scaled so that a cost rate of 1 for ever is worth −1. */
function episode(
  sequence: DeeprmSequence,
  weights: Weights,
  epsilon: number,
  random: () => number,
): Trajectory {
  const world = new DeeprmWorld(sequence);
  const rows: Float32Array[] = [];
  const firstRow = [0];
  const chosen: number[] = [];
  const reward: number[] = [];
  const discount: number[] = [];
  while (!world.over) {
    const { actions, features } = deeprmCandidates(world);
    const index =
      random() < epsilon
        ? Math.floor(random() * actions.length)
        : bestOf(forward(weights, features, actions.length));
    const before = world.step;
    const r = world.act(actions[index]!) * (1 - DISCOUNT);
    rows.push(features);
    firstRow.push(firstRow.at(-1)! + actions.length);
    chosen.push(index);
    reward.push(r);
    discount.push(world.over ? 0 : world.step > before ? DISCOUNT : 1);
  }
  const width = DEEPRM_FEATURES.length;
  const all = new Float32Array(firstRow.at(-1)! * width);
  rows.forEach((features, i) => {
    all.set(features, firstRow[i]! * width);
  });
  return {
    featureCount: width,
    features: all,
    firstRow: Uint32Array.from(firstRow),
    chosen: Uint16Array.from(chosen),
    reward: Float32Array.from(reward),
    discount: Float32Array.from(discount),
    demonstrated: false,
  };
}

const rng = seededRng(seed);
const startMs = performance.now();
/** It begins as shortest-job-first. */
const prior = { column: DEEPRM_FEATURES.indexOf('shortestFirst'), scale: 0.03 };
const learner = new QLearner(CONFIG, DEEPRM_FEATURES.length, seed, prior);
let acting = learner.weights();
let best: { weights: Weights; ratio: number; steps: number } | null = null;
const curve: { steps: number; episodes: number; slowdowns: number[]; toTetris: number[] }[] = [];
let episodes = 0;
let owed = 0;
let validated = -1;
for (;;) {
  const progress = Math.min(1, learner.steps / allSteps);
  const epsilon = EPSILON.first + (EPSILON.last - EPSILON.first) * Math.min(1, 2 * progress);
  for (let i = 0; i < EPISODES_AT_ONCE; i++, episodes++) {
    const rate = 0.2 + 0.6 * rng.next();
    const [sequence] = sequencesOf(100_000 * (seed + 1) + episodes, rate, 1);
    const trajectory = episode(sequence!, acting, epsilon, () => rng.next());
    learner.add(trajectory);
    owed += trajectory.chosen.length * STEPS_PER_DECISION;
  }
  const learningRate = CONFIG.learningRate * (1 - 0.95 * progress);
  if (learner.own.size > 2000) {
    for (; owed >= 1; owed--) {
      learner.train({ demonstrationShare: 0, marginWeight: 0, learningRate, progress });
    }
  } else owed = 0;
  acting = learner.weights();
  const over = learner.steps >= allSteps;
  if (learner.steps < VALIDATE_EVERY_STEPS * (validated + 1) && !over) continue;
  validated = Math.floor(learner.steps / VALIDATE_EVERY_STEPS);
  const slowdowns = validation.map((sequences) => meanSlowdown(sequences, learnedDeeprm(acting)));
  const toTetris = slowdowns.map((value, i) => value / tetris[i]!);
  const ratio = Math.sqrt(toTetris[0]! * toTetris[1]!);
  curve.push({ steps: learner.steps, episodes, slowdowns, toTetris });
  if (best === null || ratio < best.ratio) best = { weights: acting, ratio, steps: learner.steps };
  process.stdout.write(
    `${((performance.now() - startMs) / 1000).toFixed(0)} s, ${learner.steps} steps, ${episodes} episodes: to the best tetris ${toTetris.map((r) => r.toFixed(4)).join(', ')}\n`,
  );
  if (over) break;
}
const record = {
  name: 'deeprm',
  weights: Buffer.from(encodeWeights(best.weights, DEEPRM_FEATURES)).toString('base64'),
  seed,
  command: `node scripts/trainDeeprm.ts --seed ${seed} --steps ${allSteps}`,
  config: {
    learner: CONFIG,
    discount: DISCOUNT,
    epsilon: EPSILON,
    stepsPerDecision: STEPS_PER_DECISION,
    features: DEEPRM_FEATURES,
    prior,
    kept: { steps: best.steps, ratio: best.ratio },
    episodes,
  },
  curve,
  evaluation: null,
};
mkdirSync(options.out, { recursive: true });
writeFileSync(join(options.out, 'deeprm.json'), `${JSON.stringify(record, null, 1)}\n`);
