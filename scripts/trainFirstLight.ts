/**
 * Trains the weights that Stint ships with, in simulation:
 *
 *   node scripts/trainFirstLight.ts [--seed 1] [--minutes 9] [--out resources/policy]
 *
 * Phase 1 watches "shortest predicted work first" and imitates it while learning what its acts are worth. Phase 2
 * goes on by double Q-learning, mostly from the policy's own ε-greedy acts, with some days of the demonstrator
 * between. Every so often the weights are tried on validation days, and the best are kept. This script judges
 * nothing: evaluateFirstLight.ts does, on days of its own, once the training is settled.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FieldError } from '../src/domain/errors.ts';
import { DEFAULT_GOALS } from '../src/domain/reward.ts';
import { seededRng } from '../src/domain/rng.ts';
import { Agent, type AgentConfig, LIVE_AGENT } from '../src/learning/agent.ts';
import { startBackend } from '../src/learning/backend.ts';
import { sanityCheck } from '../src/learning/policyCheck.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../src/scheduler/features.ts';
import { encodeWeights, initialWeights, type Weights } from '../src/scheduler/network.ts';
import { createDqnPolicy, type Exploration, NO_EXPLORATION } from '../src/scheduler/policies/dqn.ts';
import { fifo } from '../src/scheduler/policies/fifo.ts';
import { firstFit } from '../src/scheduler/policies/firstFit.ts';
import { priority } from '../src/scheduler/policies/priority.ts';
import type { Policy } from '../src/scheduler/policy.ts';
import { DEFAULT_RANGES } from '../src/simulator/workload.ts';
import { MAX_TRAINING_SEED, trainingDay, VALIDATION_DAYS, validationDays } from './policy/days.ts';
import { type CurvePoint, type PolicyRecord, writeRecord } from './policy/record.ts';
import { shortestFirst } from './policy/shortestFirst.ts';
import { figuresOf, runDay } from './policy/simulatedDay.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '9' },
    out: { type: 'string', default: resolve(import.meta.dirname, '../resources/policy') },
  },
});
const seed = Number(options.seed);
if (!Number.isInteger(seed) || seed < 1 || seed > MAX_TRAINING_SEED) {
  throw new FieldError('--seed', options.seed, `give a whole number from 1 to ${MAX_TRAINING_SEED}`);
}
const minutes = Number(options.minutes);
if (!(minutes > 0)) throw new FieldError('--minutes', options.minutes, 'give a number above 0');
const deadlineMs = performance.now() + 60_000 * minutes;

const EXPLORATION: Exploration = { start: 0.15, end: 0.02, overDecisions: 15_000, triesWait: true };
const PHASES = {
  imitation: { steps: 4000, learningRate: 1e-3, imitationWeight: 0.1, demonstratedDays: 1 },
  reinforcement: { steps: 24_000, learningRate: 2e-4, imitationWeight: 0.02, demonstratedDays: 0.25 },
} as const;
// In simulation mistakes are free, so that nothing has to hold back.
const AGENT: AgentConfig = {
  ...LIVE_AGENT,
  seed,
  adamEpsilon: 1e-7,
  conservatism: 0,
  replayCapacity: 30_000,
  minReplay: 1000,
  polyakTau: 0.01,
};
/** Gradient steps per transition. */
const STEPS_PER_TRANSITION = 0.5;
const VALIDATE_EVERY = 1000;

const greedy = (weights: Weights): Policy =>
  createDqnPolicy({ weights, version: 'training', exploration: NO_EXPLORATION });

const days = validationDays(seed);
const validationBase = days.map((world) => figuresOf(world, firstFit).cost);

/** Geometric mean over the validation days of cost relative to first-fit: below 1 is better. */
function validate(policy: Policy): number {
  const logs = days.map((world, n) =>
    Math.log(figuresOf(world, policy).cost / Math.max(1e-9, validationBase[n]!)),
  );
  return Math.exp(logs.reduce((sum, v) => sum + v, 0) / logs.length);
}

const curve: CurvePoint[] = [];
let best: { weights: Weights; costToFirstFit: number; steps: number; phase: string } | null = null;
let day = 0;

function trainPhase(name: keyof typeof PHASES, weights: Weights): Weights {
  const { steps, learningRate, imitationWeight, demonstratedDays } = PHASES[name];
  const agent = new Agent(weights, { ...AGENT, learningRate });
  const rng = seededRng(seed + 17);
  const own = createDqnPolicy({ weights, version: name, exploration: EXPLORATION });
  let due = 0;
  let loss = 0;
  while (agent.trainSteps < steps && performance.now() < deadlineMs) {
    const demonstrated = rng.next() < demonstratedDays;
    runDay(trainingDay(seed, day++), demonstrated ? shortestFirst : own, rng, (transition) => {
      agent.remember(transition, demonstrated);
      if (!agent.ready) return;
      for (due += STEPS_PER_TRANSITION; due >= 1; due--) {
        loss += 0.01 * (agent.train(imitationWeight) - loss);
        if (agent.trainSteps % 50 === 0) own.setWeights(agent.weights(), name);
        if (agent.trainSteps % VALIDATE_EVERY === 0) keepIfBest(name, agent, loss);
      }
    });
  }
  const last = agent.weights();
  agent.dispose();
  return last;
}

function keepIfBest(phase: string, agent: Agent, loss: number): void {
  const diverged = agent.check();
  const weights = agent.weights();
  const costToFirstFit = validate(greedy(weights));
  const sane = isSane(weights);
  curve.push({ phase, steps: agent.trainSteps, loss, costToFirstFit });
  const note = diverged ?? (sane ? '' : 'not sane');
  process.stdout.write(
    `${phase} ${agent.trainSteps}: loss ${loss.toPrecision(3)}, cost to first-fit ${costToFirstFit.toFixed(3)} ${note}\n`,
  );
  if (sane && (best === null || costToFirstFit < best.costToFirstFit)) {
    best = { weights, costToFirstFit, steps: agent.trainSteps, phase };
  }
}

function isSane(weights: Weights): boolean {
  try {
    sanityCheck(weights);
    return true;
  } catch {
    return false;
  }
}

const backend = await startBackend();
process.stdout.write(
  `backend ${backend.name}; validation cost to first-fit: shortest-first ${validate(shortestFirst).toFixed(3)}, ` +
    `priority ${validate(priority).toFixed(3)}, fifo ${validate(fifo).toFixed(3)}\n`,
);
const started = performance.now();
const imitated = trainPhase('imitation', initialWeights(seededRng(seed), FEATURE_COUNT));
trainPhase('reinforcement', imitated);
const trainedS = Math.round((performance.now() - started) / 1000);
const kept = best as { weights: Weights; costToFirstFit: number; steps: number; phase: string } | null;
if (kept === null) {
  process.stderr.write('no sane weights were found in that time: nothing was written; train for longer\n');
  process.exit(1);
}

const record: PolicyRecord = {
  name: 'first-light',
  weights: Buffer.from(encodeWeights(kept.weights, FEATURE_NAMES)).toString('base64'),
  seed,
  command: `node scripts/trainFirstLight.ts --seed ${seed} --minutes ${minutes}`,
  config: {
    agent: AGENT,
    phases: PHASES,
    stepsPerTransition: STEPS_PER_TRANSITION,
    exploration: EXPLORATION,
    workload: DEFAULT_RANGES,
    goals: DEFAULT_GOALS,
    features: FEATURE_NAMES,
    trainedS,
    trainingDays: day,
    validationDays: VALIDATION_DAYS,
    kept: { phase: kept.phase, steps: kept.steps, costToFirstFit: kept.costToFirstFit },
  },
  curve,
  evaluation: null,
  notes: [],
};
process.stdout.write(await writeRecord(join(options.out, 'first-light.json'), record));
