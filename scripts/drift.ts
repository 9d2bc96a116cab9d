/**
 * Measures what online learning is worth when the workload changes kind in mid-run:
 *
 *   node scripts/drift.ts [--seeds 5] [--before sweep-heavy] [--after heavy-tail] [FILE]
 *
 * For each seed a network is trained on the first kind and another, from scratch, on the second. Then 100 jobs of the first
 * kind and 600 of the second come to a simulated machine: under the first network as it is, under the same learning from its own
 * decisions as the live learner does (same agent, same settings, no gate), under the second network, and under `aged`. The
 * planner's prior is left out, since with it there is nothing to be learned anew.
 *
 * *Regained* is the share of the gap between the network as it is and the one trained anew that learning has closed over the
 * last 200 of the first 500 jobs after the change; *worst* the largest ratio of mean completion times to `aged` over any 100 jobs
 * in a row after it. Results go to FILE (docs/drift.json) after each seed; one that is there is not run again.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRng } from '../src/domain/rng.ts';
import type { TraceJob } from '../src/domain/trace.ts';
import { fitWindow } from '../src/lab/evaluate/windows.ts';
import { train } from '../src/lab/train/train.ts';
import { Agent, LIVE_AGENT } from '../src/learning/agent.ts';
import { sanityCheck } from '../src/learning/policyCheck.ts';
import { Recorder } from '../src/learning/recorder.ts';
import { seenStep } from '../src/learning/seenStep.ts';
import { loadShippedPolicy } from '../src/learning/shippedPolicy.ts';
import type { Weights } from '../src/scheduler/network.ts';
import { aged } from '../src/scheduler/policies/aged.ts';
import {
  createDqnPolicy,
  type DqnPolicy,
  LIVE_EXPLORATION,
  NO_EXPLORATION,
} from '../src/scheduler/policies/dqn.ts';
import type { Policy } from '../src/scheduler/policy.ts';
import { generateJobs, type PresetName } from '../src/simulator/generator/generate.ts';
import { type SimulationObserver, simulate } from '../src/simulator/machine.ts';
import { DEFAULT_VRAM_MIB, worldOf } from '../src/simulator/regimes.ts';
import type { SimulatedWorld } from '../src/simulator/world.ts';
import { ROOT } from './lib/run.ts';

const { values: options, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    before: { type: 'string', default: 'sweep-heavy' },
    after: { type: 'string', default: 'heavy-tail' },
  },
  allowPositionals: true,
});
const path = resolve(positionals[0] ?? resolve(ROOT, 'docs/drift.json'));

const GPUS = 4;
const LOAD = 0.85;
const JOBS_BEFORE = 100;
const JOBS_AFTER = 600;
/** Jobs after the change by which it is to be regained, and over how many of them that is looked at. */
const WITHIN = 500;
const LOOKED_AT = 200;
const WINDOW = 100;

const training = (preset: string, seed: number) => ({
  preempts: true,
  seed,
  worlds: {
    gpus: [GPUS],
    load: [0.7, 1],
    jobs: [40, 60],
    regimes: { hints: 1 },
    sharing: { regime: 1 },
    sources: [{ preset }],
    otherGoalsShare: 0,
  },
  network: { hidden: [32, 32] },
  demonstrations: { policy: 'gittins', worlds: 24, steps: 400 },
  interaction: { worlds: 64, worldsPerRound: 8, exploringWorlds: 40 },
  validation: { worlds: 12, everySteps: 200, against: 'srtf' },
});

async function trained(preset: string, seed: number): Promise<Weights> {
  const directory = mkdtempSync(join(tmpdir(), 'stint-drift-'));
  try {
    const file = join(directory, 'config.json');
    writeFileSync(file, JSON.stringify(training(preset, seed)));
    const result = await train({
      configFile: { path: file, file },
      directory: join(directory, 'run'),
      resume: false,
      workers: 1,
      onEvent: () => undefined,
      onProgress: () => undefined,
    });
    return (await loadShippedPolicy(result.file!)).weights;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The first kind, and right after its last arrival the second. */
function driftingWorld(seed: number): SimulatedWorld {
  const machine = { gpus: GPUS, vramMib: DEFAULT_VRAM_MIB };
  const part = (preset: string, jobs: number, of: number): readonly TraceJob[] => {
    const generated = [...generateJobs(preset as PresetName, { jobs: jobs + 50, seed: of, gpus: 8 })];
    const fitted = fitWindow(generated, machine, LOAD);
    if ('reason' in fitted) throw new RangeError(fitted.reason);
    return fitted.jobs.slice(0, jobs);
  };
  const first = part(options.before, JOBS_BEFORE, 500 + seed);
  const changedAtS = first.at(-1)!.submitS;
  const second = part(options.after, JOBS_AFTER, 700 + seed);
  const jobs = [...first, ...second.map((job) => ({ ...job, submitS: job.submitS + changedAtS }))];
  return worldOf('hints', jobs, { ...machine, seed });
}

/** Completion times after the change, in the order of submission. */
function completionsUnder(world: SimulatedWorld, policy: Policy, observer?: SimulationObserver): number[] {
  const outcomes = simulate(world, {
    policy,
    heuristic: aged,
    rng: seededRng(1),
    ...(observer === undefined ? {} : { observer }),
  });
  const order = new Map(world.jobs.map(({ id }, i) => [id, i]));
  return outcomes
    .toSorted((a, b) => order.get(a.job.id)! - order.get(b.job.id)!)
    .slice(JOBS_BEFORE)
    .map(({ job, finishedAtS }) => finishedAtS - job.submittedAtS);
}

/** Learns from its own decisions, as the live learner: each pays for some gradient steps, and the sane weights are used. */
function learning(weights: Weights, seed: number): { policy: DqnPolicy; observer: SimulationObserver } {
  const policy = createDqnPolicy({ weights, version: 'online', exploration: LIVE_EXPLORATION });
  const agent = new Agent(weights, { ...LIVE_AGENT, seed });
  const recorder = new Recorder({
    rng: seededRng(seed),
    onTransition(transition) {
      agent.remember(transition);
      if (!agent.ready) return;
      for (let i = 0; i < LIVE_AGENT.stepsPerTransition; i++) agent.train(LIVE_AGENT.imitation);
      if (agent.trainSteps % LIVE_AGENT.publishEverySteps >= LIVE_AGENT.stepsPerTransition) return;
      if (agent.check(sanityCheck) === null) policy.setWeights(agent.weights(), 'online');
    },
  });
  let decisionId = 0;
  return {
    policy,
    observer: {
      advance: (load, nowMs) => recorder.advance(load, nowMs),
      decided(step, snapshot) {
        const seen = seenStep(step, snapshot, ++decisionId, null);
        if (seen !== null) recorder.decided(seen);
      },
      idle: () => recorder.idle(),
    },
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

interface Outcome {
  /** Mean completion times over the jobs that are looked at. Seconds. */
  readonly asItIs: number;
  readonly online: number;
  readonly anew: number;
  readonly aged: number;
  readonly regained: number;
  readonly worst: number;
}

async function outcomeOf(seed: number): Promise<Outcome> {
  const world = driftingWorld(seed);
  const fixed = (weights: Weights): Policy =>
    createDqnPolicy({ weights, version: 'fixed', exploration: NO_EXPLORATION });
  const old = await trained(options.before, seed);
  const fresh = await trained(options.after, seed);
  const { policy, observer } = learning(old, seed);
  const runs = {
    asItIs: completionsUnder(world, fixed(old)),
    online: completionsUnder(world, policy, observer),
    anew: completionsUnder(world, fixed(fresh)),
    aged: completionsUnder(world, aged),
  };
  const over = (times: readonly number[]): number => mean(times.slice(WITHIN - LOOKED_AT, WITHIN));
  let worst = 0;
  for (let from = 0; from + WINDOW <= JOBS_AFTER; from++) {
    const [online, heuristic] = [runs.online, runs.aged].map((times) =>
      mean(times.slice(from, from + WINDOW)),
    );
    worst = Math.max(worst, online! / heuristic!);
  }
  const [asItIs, online, anew] = [over(runs.asItIs), over(runs.online), over(runs.anew)];
  return {
    asItIs,
    online,
    anew,
    aged: over(runs.aged),
    regained: (asItIs - online) / (asItIs - anew),
    worst,
  };
}

const kinds = `${options.before} to ${options.after}`;
const record: { [kinds: string]: { [seed: string]: Outcome } } = existsSync(path)
  ? (JSON.parse(readFileSync(path, 'utf8')) as typeof record)
  : {};
record[kinds] ??= {};
for (let seed = 1; seed <= Number(options.seeds); seed++) {
  if (record[kinds][seed] !== undefined) continue;
  record[kinds][seed] = await outcomeOf(seed);
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
}
console.log(`${kinds}, ${GPUS} GPUs, load ${LOAD}\n`);
console.log(
  '| seed | as it is | online | trained anew | aged | regained | worst to aged |\n|---|---|---|---|---|---|---|',
);
for (const [seed, one] of Object.entries(record[kinds])) {
  const times = [one.asItIs, one.online, one.anew, one.aged].map((s) => `${Math.round(s)} s`).join(' | ');
  console.log(`| ${seed} | ${times} | ${Math.round(100 * one.regained)} % | ${one.worst.toFixed(2)} |`);
}
