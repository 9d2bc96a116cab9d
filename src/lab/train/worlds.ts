import { DEFAULT_GOALS, type GoalWeights } from '../../domain/reward.ts';
import { type Rng, randomInt, seededRng } from '../../domain/rng.ts';
import type { TraceJob } from '../../domain/trace.ts';
import { generateJobs, type PresetName } from '../../simulator/generator/generate.ts';
import { DEFAULT_VRAM_MIB, type RegimeName, worldOf } from '../../simulator/regimes.ts';
import type { SimulatedWorld } from '../../simulator/world.ts';
import { PastJobs } from '../evaluate/pastJobs.ts';
import { fitWindow } from '../evaluate/windows.ts';
import { seedFor } from '../runWorld.ts';
import type { WorldsConfig } from './trainConfig.ts';

/** A machine with its jobs, as they are drawn for training. */
export interface DrawnWorld {
  readonly world: SimulatedWorld;
  /** For people. */
  readonly label: string;
  /** Mean time between two arrivals. */
  readonly gapS: number;
}

/** Jobs of a trace, by the name that the configuration gives it. */
export type Traces = ReadonlyMap<string, { readonly jobs: readonly TraceJob[]; readonly past: PastJobs }>;

/** Generated jobs before a world's own: what the machine remembers at its beginning. */
const EARLIER_JOBS = 150;
/** Below it lie the seeds of the suites that results are compared on. */
const FIRST_SEED = 1_000_000;
const TRIES = 50;

/**
 * The world of a number: the same for the same configuration, seed and number.
 * @throws {RangeError} when no window fits on any machine that was drawn.
 */
export function drawWorld(config: WorldsConfig, seed: number, number: number, traces: Traces): DrawnWorld {
  const rng = seededRng(seedFor(seed, number));
  for (let tries = 0; tries < TRIES; tries++) {
    const drawn = tryWorld(config, rng, traces);
    if (drawn !== null) return drawn;
  }
  throw new RangeError(
    'worlds: no jobs fit on the machines; give larger ones in worlds.gpus, or other sources',
  );
}

function tryWorld(config: WorldsConfig, rng: Rng, traces: Traces): DrawnWorld | null {
  const gpus = oneOf(rng, config.gpus);
  const [leastLoad, mostLoad] = config.load;
  const load = leastLoad + (mostLoad - leastLoad) * rng.next();
  const [leastJobs, mostJobs] = config.jobs;
  const count = leastJobs + randomInt(rng, mostJobs - leastJobs + 1);
  const regime = weighted(rng, Object.entries(config.regimes)) as RegimeName;
  const sharing = weighted(rng, Object.entries(config.sharing));
  const gpuType = oneOf(rng, config.gpuTypes);
  const source = weighted(
    rng,
    config.sources.map((one) => [one, one.weight] as const),
  );
  const seed = FIRST_SEED + randomInt(rng, 2 ** 31 - FIRST_SEED);
  const goals = goalsOf(config, rng);
  const machine = { gpus, vramMib: DEFAULT_VRAM_MIB };
  let name: string;
  let window: readonly TraceJob[];
  let history: number[];
  if ('preset' in source) {
    name = source.preset;
    const jobs = [
      ...generateJobs(source.preset as PresetName, {
        jobs: EARLIER_JOBS + count,
        seed,
        gpus: Math.max(8, gpus),
      }),
    ];
    window = jobs.slice(EARLIER_JOBS);
    history = new PastJobs(jobs).before(EARLIER_JOBS, machine);
  } else {
    name = source.trace;
    const { jobs, past } = traces.get(source.trace)!;
    const first = randomInt(rng, Math.max(1, jobs.length - count));
    window = jobs.slice(first, first + count);
    history = past.before(first, machine);
  }
  const fitted = fitWindow(window, machine, load);
  if ('reason' in fitted) return null;
  const share = sharing === 'regime' ? {} : { share: sharing === 'on' };
  const world = worldOf(regime, fitted.jobs, { ...machine, seed, gpuType, history, ...share });
  return {
    world: goals === null ? world : { ...world, goals },
    label: `${regime}, ${name}, ${gpus} GPUs, load ${load.toFixed(2)}`,
    gapS: Math.max(1, fitted.jobs.at(-1)!.submitS / fitted.jobs.length),
  };
}

/** null: the default. Drawn in any case, so that the share changes no other draw. */
function goalsOf({ otherGoalsShare, mostGoal }: WorldsConfig, rng: Rng): GoalWeights | null {
  const other = rng.next() < otherGoalsShare;
  const goals = {
    completion: mostGoal * rng.next(),
    utilisation: mostGoal * rng.next(),
    fairness: mostGoal * rng.next(),
    energy: DEFAULT_GOALS.energy,
  };
  return other ? goals : null;
}

const oneOf = <T>(rng: Rng, values: readonly T[]): T => values[randomInt(rng, values.length)]!;

function weighted<T>(rng: Rng, options: readonly (readonly [T, number | undefined])[]): T {
  const total = options.reduce((sum, [, weight]) => sum + (weight ?? 0), 0);
  let left = rng.next() * total;
  for (const [value, weight] of options) {
    left -= weight ?? 0;
    if (left < 0) return value;
  }
  return options.at(-1)![0];
}
