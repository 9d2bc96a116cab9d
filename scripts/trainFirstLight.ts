/**
 * Trains the weights that Stint ships with, in simulation, and compares them with the heuristics:
 *
 *   node scripts/trainFirstLight.ts [--seed 1] [--minutes 9] [--out resources/policy]
 *
 * Phase 1 watches "shortest predicted work first" and imitates it while learning what its acts are worth. Phase 2
 * goes on by double Q-learning, mostly from the policy's own ε-greedy acts, with some days of the demonstrator
 * between. Every so often the weights are tried on
 * validation days; the best are kept, then judged once on days that were never seen.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  DEFAULT_GOALS,
  priorityWeight,
  REWARD_COMPONENTS,
  type RewardParts,
  scalarise,
} from '../src/domain/reward.ts';
import { type Rng, seededRng } from '../src/domain/rng.ts';
import { Agent, type AgentConfig, LIVE_AGENT } from '../src/learning/agent.ts';
import { startBackend } from '../src/learning/backend.ts';
import { sanityCheck } from '../src/learning/policyCheck.ts';
import { Recorder } from '../src/learning/recorder.ts';
import { seenStep } from '../src/learning/seenStep.ts';
import type { PolicyFile } from '../src/learning/shippedPolicy.ts';
import type { Transition } from '../src/learning/transition.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../src/scheduler/features.ts';
import { encodeWeights, initialWeights, type Weights } from '../src/scheduler/network.ts';
import { createDqnPolicy, type Exploration, NO_EXPLORATION } from '../src/scheduler/policies/dqn.ts';
import { fifo } from '../src/scheduler/policies/fifo.ts';
import { firstFit } from '../src/scheduler/policies/firstFit.ts';
import { priority } from '../src/scheduler/policies/priority.ts';
import type { Policy } from '../src/scheduler/policy.ts';
import { type JobOutcome, type SimulatedWorld, simulate } from '../src/simulator/machine.ts';
import { DEFAULT_RANGES, randomWorld } from '../src/simulator/workload.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '9' },
    out: { type: 'string', default: resolve(import.meta.dirname, '../resources/policy') },
  },
});
const seed = Number(options.seed);
const deadlineMs = performance.now() + 60_000 * Number(options.minutes);

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
const VALIDATION_DAYS = 24;
const TEST_DAYS = 60;
// Days for training, validation and the final test come from seeds that never meet.
const dayRng = (kind: 'training' | 'validation' | 'test', n: number): Rng =>
  seededRng({ training: 1_000_000, validation: 2_000_000, test: 3_000_000 }[kind] + 100_000 * seed + n);

/**
 * The demonstrator: least predicted GPU time per weight first (Smith 1956); placements in the order they come. A job
 * of which nothing is predicted counts as twice the geometric mean of the others: about what a log-normal duration
 * is on average.
 */
const shortestFirst: Policy = {
  name: 'shortest-first',
  version: '1',
  choose({ snapshot, candidates }) {
    const known = [...snapshot.waiting, ...snapshot.running].flatMap(({ remaining }) => remaining ?? []);
    const unknownS =
      2 * Math.exp(known.reduce((sum, { p50S }) => sum + Math.log(p50S), 0) / Math.max(1, known.length));
    const work = new Map(
      snapshot.waiting.map((job) => [
        job.id,
        ((job.remaining?.p50S ?? unknownS) * Math.max(1, job.gpus)) / priorityWeight(job.priority),
      ]),
    );
    let index = candidates.length - 1;
    let least = Number.POSITIVE_INFINITY;
    candidates.forEach((action, i) => {
      const w = action.kind === 'launch' ? work.get(action.jobId)! : Number.POSITIVE_INFINITY;
      if (w < least) [index, least] = [i, w];
    });
    return { index, scores: null, epsilon: null, explored: false, features: null };
  },
};

/** Runs a day; hands out its transitions; returns its outcomes and its costs. */
function runDay(
  world: SimulatedWorld,
  policy: Policy,
  rng: Rng,
  onTransition: (transition: Transition) => void = () => undefined,
): { outcomes: JobOutcome[]; cost: RewardParts } {
  const recorder = new Recorder({ onTransition, rng });
  let decisionId = 0;
  let total: RewardParts = { completion: 0, utilisation: 0, fairness: 0 };
  const outcomes = simulate(world, {
    policy,
    heuristic: firstFit,
    rng,
    observer: {
      advance: (load, nowMs) => recorder.advance(load, nowMs),
      decided(step, snapshot) {
        const seen = seenStep(step, snapshot, ++decisionId, null);
        if (seen !== null) recorder.decided(seen);
      },
      idle() {
        const parts = recorder.idle();
        total = {
          completion: total.completion - parts.completion,
          utilisation: total.utilisation - parts.utilisation,
          fairness: total.fairness - parts.fairness,
        };
      },
    },
  });
  return { outcomes, cost: total };
}

interface Figures {
  /** ∫ Σ w_k c_k dt, s. */
  readonly cost: number;
  readonly meanJctS: number;
  /** Mean of JCT / max(10 s, duration). */
  readonly slowdown: number;
  readonly parts: RewardParts;
}

function figuresOf(world: SimulatedWorld, policy: Policy): Figures {
  const { outcomes, cost } = runDay(world, policy, seededRng(seed));
  const mean = (value: (outcome: JobOutcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + value(outcome), 0) / outcomes.length;
  return {
    cost: scalarise(cost, DEFAULT_GOALS),
    meanJctS: mean(({ job, finishedAtS }) => finishedAtS - job.submittedAtS),
    slowdown: mean(({ job, finishedAtS }) => (finishedAtS - job.submittedAtS) / Math.max(10, job.durationS)),
    parts: cost,
  };
}

const greedy = (weights: Weights): Policy =>
  createDqnPolicy({ weights, version: 'training', exploration: NO_EXPLORATION });

const validationDays = Array.from({ length: VALIDATION_DAYS }, (_, n) =>
  randomWorld(dayRng('validation', n)),
);
const validationBase = validationDays.map((world) => figuresOf(world, firstFit).cost);

/** Geometric mean over the validation days of cost relative to first-fit: below 1 is better. */
function validate(policy: Policy): number {
  const logs = validationDays.map((world, n) =>
    Math.log(figuresOf(world, policy).cost / Math.max(1e-9, validationBase[n]!)),
  );
  return Math.exp(logs.reduce((sum, v) => sum + v, 0) / logs.length);
}

interface CurvePoint {
  readonly phase: string;
  readonly steps: number;
  readonly loss: number;
  readonly costToFirstFit: number;
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
    runDay(randomWorld(dayRng('training', day++)), demonstrated ? shortestFirst : own, rng, (transition) => {
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

function bestOf(phase: string): string {
  const costs = curve.filter((point) => point.phase === phase).map((point) => point.costToFirstFit);
  return costs.length === 0 ? 'none' : Math.min(...costs).toFixed(3);
}

/** Median of the paired ratios with a 95 % percentile-bootstrap interval (Efron 1979). */
function medianRatio(
  ours: readonly number[],
  theirs: readonly number[],
): { median: number; low: number; high: number } {
  const ratios = ours.map((v, i) => v / theirs[i]!);
  const rng = seededRng(99);
  const draws = Array.from({ length: 2000 }, () =>
    median(ratios.map(() => ratios[Math.floor(rng.next() * ratios.length)]!)),
  ).sort((a, b) => a - b);
  return { median: median(ratios), low: draws[50]!, high: draws[1949]! };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
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

const testDays = Array.from({ length: TEST_DAYS }, (_, n) => randomWorld(dayRng('test', n)));
const judged = (policy: Policy): Figures[] => testDays.map((world) => figuresOf(world, policy));
const ours = judged(greedy(kept.weights));
const METRICS = {
  cost: (f: Figures) => f.cost,
  meanJctS: (f: Figures) => f.meanJctS,
  slowdown: (f: Figures) => f.slowdown,
};
const evaluation = [fifo, firstFit, priority, shortestFirst].map((policy) => {
  const theirs = judged(policy);
  return {
    against: policy.name,
    ratios: Object.fromEntries(
      Object.entries(METRICS).map(([name, of]) => [name, medianRatio(ours.map(of), theirs.map(of))]),
    ),
    parts: Object.fromEntries(
      REWARD_COMPONENTS.map((k) => [
        k,
        { ours: median(ours.map((f) => f.parts[k])), theirs: median(theirs.map((f) => f.parts[k])) },
      ]),
    ),
    daysWon: ours.filter((f, i) => f.cost < theirs[i]!.cost).length,
  };
});

const file: PolicyFile = {
  name: 'first-light',
  weights: Buffer.from(encodeWeights(kept.weights, FEATURE_NAMES)).toString('base64'),
  seed,
  command: `node scripts/trainFirstLight.ts --seed ${seed} --minutes ${options.minutes}`,
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
    kept: { phase: kept.phase, steps: kept.steps, costToFirstFit: kept.costToFirstFit },
  },
  curve,
  evaluation,
};
await mkdir(options.out, { recursive: true });
await writeFile(join(options.out, 'first-light.json'), `${JSON.stringify(file, null, 1)}\n`);
await writeFile(join(options.out, 'first-light.md'), report());
process.stdout.write(report());

function report(): string {
  const cell = ({ median: m, low, high }: { median: number; low: number; high: number }): string =>
    `${m.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  const rows = evaluation.map(({ against, ratios, daysWon }) =>
    [
      '',
      against,
      cell(ratios.cost!),
      cell(ratios.meanJctS!),
      cell(ratios.slowdown!),
      `${daysWon} of ${TEST_DAYS}`,
      '',
    ]
      .join(' | ')
      .trim(),
  );
  return `# first-light: the shipped weights

Made by \`${file.command}\` in ${Math.round(trainedS / 60)} min on one core (${day} simulated days). Kept were the weights after
${kept!.steps} steps of the ${kept!.phase} phase: the best on ${VALIDATION_DAYS} validation days.
Validation cost relative to first-fit, the best of each phase: ${Object.keys(PHASES)
    .map((phase) => `${phase} ${bestOf(phase)}`)
    .join(', ')}.

Judged once on ${TEST_DAYS} held-out days, each a seed of its own, with the same arrivals for every policy: 1 to 8 devices, load
0.5 to 1.2, log-normal durations, noisy or missing predictions, three users. The figures are medians over the days
of dqn divided by the other policy, with a 95 % bootstrap interval; below 1 dqn is better.

| against | cost (weighed) | mean completion time | mean slowdown | days with less cost |
|---|---|---|---|---|
${rows.join('\n')}

\`shortest-first\` is the demonstrator of phase 1 (least predicted GPU time per priority weight first). It is no policy of the
console, as it would let long jobs starve; it is listed to show how much of the gain is imitation.

The simulator has no start-up times, failures or preemption, and two jobs that share a device slow each other down
by a fixed rule. What these figures say about a real machine is for the machine's own record to show.
`;
}
