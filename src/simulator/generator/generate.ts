import { FieldError } from '../../domain/errors.ts';
import { type Rng, randomInt, randomNormal, seededRng } from '../../domain/rng.ts';
import type { TraceJob } from '../../domain/trace.ts';
import { type Command, Commands } from './commands.ts';
import { driftFactor, fitting, meanGapS, meanJobs, sweepChance } from './offeredLoad.ts';
import type { JobClass, Preset } from './preset.ts';
import { PRESET_NAMES, PRESETS, type PresetName } from './presets.ts';
import { RhythmClock } from './rhythm.ts';

export { PRESET_NAMES, type PresetName };

export interface GenerateOptions {
  readonly jobs: number;
  /** 0 to 2^32 − 1. */
  readonly seed: number;
  /** GPUs that the load is offered to. Left out: the preset's. Sizes beyond it are not drawn. */
  readonly gpus?: number;
  /** Offered load: Σ duration·gpus / (GPUs · span). Left out: the preset's. */
  readonly load?: number;
}

const MOST_JOBS = 1e9;
const MOST_GPUS = 1_000_000;
const MOST_LOAD = 10;
const MOST_SEED = 2 ** 32 - 1;

/**
 * Jobs of a preset in the order of their arrival, drawn one by one: a million take no more memory than ten.
 *
 * The same options give the same jobs, to the byte: randomness comes from the seed alone, and times are whole
 * milliseconds. (ECMAScript leaves the last bit of exp, log and cos to the engine. Where one differs, rounding hides it
 * but for about one time in a hundred million.)
 *
 * The offered load holds on average over jobs and whole weeks. With heavy tails it takes many jobs to see it: a
 * hundred of them may well offer half of it or twice as much.
 *
 * @throws {FieldError} naming the option that cannot be used. It does so at once, before the first job.
 */
export function generateJobs(name: PresetName, options: GenerateOptions): Iterable<TraceJob> {
  if (!PRESET_NAMES.includes(name)) {
    throw new FieldError('preset', name, `choose from ${PRESET_NAMES.join(', ')}`);
  }
  return generate(PRESETS[name], options);
}

/** {@link generateJobs} for a preset that has no name. */
export function generate(preset: Preset, options: GenerateOptions): Iterable<TraceJob> {
  const { jobs, seed, gpus = preset.gpus, load = preset.load } = options;
  whole('jobs', jobs, 1, MOST_JOBS);
  whole('seed', seed, 0, MOST_SEED);
  whole('gpus', gpus, 1, MOST_GPUS);
  if (!(load > 0 && load <= MOST_LOAD)) {
    throw new FieldError('load', load, `give a number above 0, at most ${MOST_LOAD}`);
  }
  const fitted = fitting(preset, gpus);
  const gapS = meanGapS(fitted, jobs, gpus, load);
  // The seed starts anew for whoever iterates again.
  return { [Symbol.iterator]: () => draw(fitted, jobs, gapS, seededRng(seed)) };
}

function whole(field: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new FieldError(field, value, `give a whole number from ${least} to ${most}`);
}

/** Jobs of one submission that are still to come. */
interface Submission {
  readonly jobClass: JobClass;
  readonly command: Command;
  left: number;
  atS: number;
}

function* draw(preset: Preset, jobs: number, gapS: number, rng: Rng): Generator<TraceJob, void, undefined> {
  const commands = new Commands(preset, rng);
  const arrivals = preset.classes.map((jobClass) => new Arrivals(jobClass, gapS, rng));
  /** Sweeps that have begun and are not through. */
  const open: Submission[] = [];
  for (let index = 0; index < jobs; index++) {
    const at = index / jobs;
    const factor = driftFactor(preset, at);
    const next = earliest(arrivals)!;
    let submission = earliest(open);
    if (submission === null || next.atS < submission.atS) {
      const { jobClass, atS } = next;
      submission = { jobClass, command: commands.next(jobClass, at, factor), left: next.size(), atS };
      if (submission.left > 1) open.push(submission);
      next.advance();
    }
    yield jobOf(preset, submission, String(index + 1), factor, rng);
    if (--submission.left > 0)
      submission.atS = milliseconds(submission.atS + submission.jobClass.sweeps!.gapS);
    else if (open.includes(submission)) open.splice(open.indexOf(submission), 1);
  }
}

function earliest<T extends { readonly atS: number }>(things: readonly T[]): T | null {
  let first: T | null = null;
  for (const thing of things) if (first === null || thing.atS < first.atS) first = thing;
  return first;
}

const milliseconds = (s: number): number => Math.round(1000 * s) / 1000;

/** The submissions of a class. */
class Arrivals {
  readonly jobClass: JobClass;
  readonly #clock: RhythmClock;
  readonly #meanGapS: number;
  readonly #sweepChance: number;
  readonly #rng: Rng;
  atS = 0;

  /** @param gapS mean time between two jobs of all classes. */
  constructor(jobClass: JobClass, gapS: number, rng: Rng) {
    this.jobClass = jobClass;
    this.#clock = new RhythmClock(jobClass.rhythm);
    this.#meanGapS = (gapS * meanJobs(jobClass.sweeps)) / jobClass.share;
    this.#sweepChance = sweepChance(jobClass.sweeps);
    this.#rng = rng;
    this.advance();
  }

  /** How many jobs the submission has. */
  size(): number {
    const { sweeps } = this.jobClass;
    if (sweeps === null || this.#rng.next() >= this.#sweepChance) return 1;
    return sweeps.sizes[randomInt(this.#rng, sweeps.sizes.length)]!;
  }

  advance(): void {
    this.atS = this.#clock.advance(-this.#meanGapS * Math.log(1 - this.#rng.next()));
  }
}

/** @param factor how many times as long jobs are now as at the middle of the drift. */
function jobOf(preset: Preset, submission: Submission, jobId: string, factor: number, rng: Rng): TraceJob {
  const { leastS, mostS, repeats } = preset;
  const { medianS, ...asked } = submission.command;
  const error = repeats.sigma > 0 ? Math.exp(repeats.sigma * randomNormal(rng)) : 1;
  const durationS = milliseconds(Math.min(mostS, Math.max(leastS, medianS * factor * error)));
  return { jobId, submitS: submission.atS, durationS, ...asked };
}
