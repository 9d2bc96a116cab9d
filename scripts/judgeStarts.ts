/**
 * Measures how often expected starts hold: simulated machines of the held-back suite are stopped at some decisions, futures
 * are played from there as the live engine plays them, and the true first starts are held against their 10th and 90th
 * percentile:
 *
 *   node scripts/judgeStarts.ts [--policies aged,pspt,dqn] [--gpus 4] [--load 0.8] [--windows 6] [--every 25]
 *
 * In the regime `hints` run times are predicted, in `lab` nothing is known of them.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRng } from '../src/domain/rng.ts';
import { HORIZON_NAMES, type HorizonName, horizonOf } from '../src/domain/startHorizon.ts';
import { loadSuites } from '../src/lab/evaluate/suites.ts';
import { cutWindows, fitWindow } from '../src/lab/evaluate/windows.ts';
import { policyMaker } from '../src/lab/policies.ts';
import { heuristicByName } from '../src/scheduler/policies/heuristics.ts';
import { DEFAULT_LIMITS } from '../src/scheduler/snapshot.ts';
import { forecast } from '../src/simulator/forecast/forecast.ts';
import { simulate } from '../src/simulator/machine.ts';
import { DEFAULT_VRAM_MIB, worldOf } from '../src/simulator/regimes.ts';
import type { SimulatedWorld } from '../src/simulator/world.ts';
import { ROOT } from './lib/run.ts';

const { values: options } = parseArgs({
  options: {
    policies: { type: 'string', default: 'aged,pspt,dqn' },
    gpus: { type: 'string', default: '4' },
    load: { type: 'string', default: '0.8' },
    windows: { type: 'string', default: '6' },
    every: { type: 'string', default: '25' },
  },
});
const gpus = Number(options.gpus);
const names = options.policies.split(',');
const make = await policyMaker(names, resolve(ROOT, 'resources/policy/second-wind.json'));
const traces = await loadSuites([{ name: 'held-back', path: resolve('held-back') }]);

/** As the live engine's. */
const SAMPLES = 40;
const BUDGET_S = 1;

interface Estimate {
  readonly jobId: number;
  readonly horizon: HorizonName;
  readonly p10Ms: number;
  readonly p90Ms: number;
}

function estimatesIn(
  world: SimulatedWorld,
  name: string,
): { held: Map<HorizonName, boolean[]>; open: number } {
  const estimates: Estimate[] = [];
  const policy = make(name);
  let decisions = 0;
  let open = 0;
  const outcomes = simulate(world, {
    policy,
    heuristic: heuristicByName('aged'),
    rng: seededRng(1),
    observer: {
      advance: () => undefined,
      idle: () => undefined,
      decided(_step, snapshot) {
        if (++decisions % Number(options.every) !== 0) return;
        const { jobs } = forecast({
          snapshot,
          policy: () => make(name),
          heuristic: heuristicByName('aged'),
          limits: world.limits ?? DEFAULT_LIMITS,
          history: world.history ?? [],
          seed: decisions,
          samples: SAMPLES,
          clock: () => process.cpuUsage().user / 1e6,
          budgetS: BUDGET_S,
        });
        const begun = new Set(
          snapshot.waiting.filter(({ attainedGpuS }) => attainedGpuS > 0).map(({ id }) => id),
        );
        for (const { jobId, start } of jobs) {
          // One that gave way has started before: when it goes on is not in the outcome.
          if (begun.has(jobId)) continue;
          const { p10Ms, p50Ms, p90Ms } = start;
          if (p10Ms === null || p50Ms === null || p90Ms === null) open++;
          else if (p90Ms - snapshot.nowMs >= 5000)
            estimates.push({ jobId, horizon: horizonOf(p50Ms - snapshot.nowMs), p10Ms, p90Ms });
        }
      },
    },
  });
  const startedMs = new Map(outcomes.map(({ job, startedAtS }) => [job.id, 1000 * startedAtS]));
  const held = new Map<HorizonName, boolean[]>();
  for (const { jobId, horizon, p10Ms, p90Ms } of estimates) {
    const atMs = startedMs.get(jobId)!;
    const all = held.get(horizon) ?? [];
    all.push(atMs >= p10Ms - 2000 && atMs <= p90Ms + 2000);
    held.set(horizon, all);
  }
  return { held, open };
}

for (const regime of ['hints', 'lab'] as const) {
  for (const name of names) {
    const held = new Map<HorizonName, boolean[]>();
    let open = 0;
    let windows = 0;
    for (const { jobs } of traces) {
      const window = cutWindows(jobs, 150)[0];
      if (window === undefined || windows >= Number(options.windows)) continue;
      const fitted = fitWindow(window.jobs, { gpus, vramMib: DEFAULT_VRAM_MIB }, Number(options.load));
      if ('reason' in fitted) continue;
      windows++;
      const found = estimatesIn(worldOf(regime, fitted.jobs, { gpus, seed: windows, gpuType: 'k80' }), name);
      open += found.open;
      for (const [horizon, list] of found.held) held.set(horizon, [...(held.get(horizon) ?? []), ...list]);
    }
    console.log(
      `${regime}, ${name}: ${windows} windows, ${gpus} GPUs, load ${options.load}; ${open} left open`,
    );
    for (const horizon of HORIZON_NAMES) {
      const list = held.get(horizon);
      if (list === undefined) continue;
      const share = list.filter(Boolean).length / list.length;
      console.log(`  ${horizon.padEnd(12)} ${(100 * share).toFixed(1).padStart(5)} % of ${list.length} held`);
    }
  }
}
