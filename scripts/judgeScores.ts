/**
 * Measures how right the scores of the shipped weights are: what each decision's score foretold against the discounted costs
 * that followed it, on windows of the held-back suite:
 *
 *   node scripts/judgeScores.ts [--regime lab ...] [--gpus 4] [--load 0.8] [--limit 300]
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_GOALS, scalarise } from '../src/domain/reward.ts';
import { seededRng } from '../src/domain/rng.ts';
import { type ScoredStep, scoreCalibrationOf } from '../src/domain/scoreCalibration.ts';
import { loadSuites } from '../src/lab/evaluate/suites.ts';
import { cutWindows, fitWindow } from '../src/lab/evaluate/windows.ts';
import { LEARNED, policyMaker } from '../src/lab/policies.ts';
import { Recorder } from '../src/learning/recorder.ts';
import { seenStep } from '../src/learning/seenStep.ts';
import { simulate } from '../src/simulator/machine.ts';
import { DEFAULT_VRAM_MIB, REGIME_NAMES, type RegimeName, worldOf } from '../src/simulator/regimes.ts';
import type { SimulatedWorld } from '../src/simulator/world.ts';
import { ROOT } from './lib/run.ts';

const { values: options } = parseArgs({
  options: {
    regime: { type: 'string', multiple: true, default: [...REGIME_NAMES] },
    gpus: { type: 'string', default: '4' },
    load: { type: 'string', default: '0.8' },
    limit: { type: 'string', default: '300' },
  },
});
const gpus = Number(options.gpus);
const make = await policyMaker([LEARNED], resolve(ROOT, 'resources/policy/second-wind.json'));
const suite = [{ name: 'held-back', path: resolve('held-back') }];
const traces = await loadSuites(suite, Number(options.limit));

/** Every decision of a simulated day that the network took, as the live engine records it. */
function stepsIn(world: SimulatedWorld): ScoredStep[] {
  const steps: ScoredStep[] = [];
  const scores = new Map<number, number>();
  const recorder = new Recorder({
    rng: seededRng(1),
    onTransition: ({ decisionId, atMs, reward, discount, next, goals }) =>
      steps.push({
        atMs,
        score: scores.get(decisionId) ?? null,
        reward: scalarise(reward, goals),
        discount,
        done: next === null,
      }),
  });
  const policy = make(LEARNED);
  let decisions = 0;
  simulate(world, {
    policy,
    heuristic: policy,
    rng: seededRng(1),
    observer: {
      advance: (load, nowMs) => recorder.advance(load, nowMs),
      idle: () => void recorder.idle(),
      decided(step, snapshot) {
        const seen = seenStep(step, snapshot, ++decisions, null);
        if (seen === null) return;
        const score = step.choice?.scores?.[step.choice.index];
        if (score !== undefined) scores.set(decisions, score);
        recorder.decided(seen);
      },
    },
  });
  return steps;
}

for (const regime of options.regime as RegimeName[]) {
  const steps: ScoredStep[] = [];
  let windows = 0;
  for (const { jobs } of traces) {
    for (const window of cutWindows(jobs, 150)) {
      const fitted = fitWindow(window.jobs, { gpus, vramMib: DEFAULT_VRAM_MIB }, Number(options.load));
      if ('reason' in fitted) continue;
      const world = worldOf(regime, fitted.jobs, { gpus, seed: ++windows, gpuType: 'k80' });
      steps.push(...stepsIn({ ...world, goals: DEFAULT_GOALS }));
    }
  }
  const { decisions, pending, foretold, came, error, correlation, bins } = scoreCalibrationOf(steps);
  console.log(
    `${regime}, ${windows} windows, ${gpus} GPUs, load ${options.load}: ${decisions} decisions (${pending} open), foretold ${foretold?.toFixed(3)}, came ${came?.toFixed(3)}, off by ${error?.toFixed(3)}, correlation ${correlation?.toFixed(3)}`,
  );
  for (const bin of bins)
    console.log(
      `  ${String(bin.decisions).padStart(6)}  foretold ${bin.foretold.toFixed(3)}  came ${bin.came.toFixed(3)} [${bin.p10.toFixed(3)}, ${bin.p90.toFixed(3)}]`,
    );
}
