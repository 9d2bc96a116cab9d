import { FieldError } from '../../domain/errors.ts';
import { meanBetween } from './distribution.ts';
import type { JobClass, Preset, Sweeps } from './preset.ts';

/** Longest trace, on average, and longest time between submissions: beyond them a trace's times end. */
const MOST_SPAN_S = 5e9;
const MOST_GAP_S = 1e8;
/** Below it, whole milliseconds would bend the gaps between arrivals. */
const LEAST_GAP_S = 0.02;

/** How far the drift is taken to be along the trace when means are formed. */
const DRIFT_STEPS = 9;

/**
 * The preset without sizes that a machine does not have; the others of their class take their share.
 * @throws {FieldError} when a class has no other.
 */
export function fitting(preset: Preset, gpus: number): Preset {
  const classes = preset.classes.map((jobClass): JobClass => {
    const sizes = jobClass.gpus.filter((size) => size.gpus <= gpus);
    if (sizes.length > 0) return { ...jobClass, gpus: sizes };
    const least = Math.min(...jobClass.gpus.map((size) => size.gpus));
    throw new FieldError('gpus', gpus, `give at least ${least}: some of the jobs need so many`);
  });
  return { ...preset, classes };
}

/** How many times as long jobs are at a point of the trace (0 to 1) as at its middle. */
export function driftFactor(preset: Preset, at: number): number {
  return preset.drift === null ? 1 : Math.exp((at - 0.5) * Math.log(preset.drift.durationFactor));
}

/** GPU-seconds that a job of the preset asks for on average. */
export function meanWork(preset: Preset): number {
  const { classes, repeats, leastS, mostS, drift } = preset;
  const points = drift === null ? 1 : DRIFT_STEPS;
  let work = 0;
  for (const jobClass of classes) {
    const shares = jobClass.gpus.reduce((sum, { share }) => sum + share, 0);
    for (const { gpus, share, factor } of jobClass.gpus) {
      for (let point = 0; point < points; point++) {
        const scale = factor * driftFactor(preset, (point + 0.5) / points);
        const meanS = scale * meanBetween(jobClass.duration, repeats.sigma, leastS / scale, mostS / scale);
        work += (jobClass.share * share * gpus * meanS) / (shares * points);
      }
    }
  }
  return work;
}

/**
 * Mean time between two jobs that gives the offered load.
 * @throws {FieldError} when the trace would get longer than a trace can be, or jobs come faster than time is told.
 */
export function meanGapS(preset: Preset, jobs: number, gpus: number, load: number): number {
  const gapS = meanWork(preset) / (gpus * load);
  const spanS = jobs * gapS;
  if (gapS > MOST_GAP_S) {
    throw new FieldError('load', load, `give more: so a job comes every ${years(gapS)} years`);
  }
  if (gapS < LEAST_GAP_S) {
    throw new FieldError('load', load, `give less, or fewer GPUs: so a job comes every ${1000 * gapS} ms`);
  }
  if (spanS > MOST_SPAN_S) {
    const most = Math.floor(MOST_SPAN_S / gapS);
    const remedy = `give at most ${most}, or more GPUs, or more load: they would come over ${years(spanS)} years`;
    throw new FieldError('jobs', jobs, remedy);
  }
  return gapS;
}

const years = (s: number): string => (s / (365.25 * 86_400)).toFixed(0);

/** Mean jobs of a sweep. */
const meanSize = ({ sizes }: Sweeps): number => sizes.reduce((sum, size) => sum + size, 0) / sizes.length;

/** Chance that a submission is a sweep, so that the wanted share of jobs comes in sweeps. */
export function sweepChance(sweeps: Sweeps | null): number {
  return sweeps === null ? 0 : sweeps.share / (sweeps.share + meanSize(sweeps) * (1 - sweeps.share));
}

/** Mean jobs of a submission. */
export function meanJobs(sweeps: Sweeps | null): number {
  const chance = sweepChance(sweeps);
  return sweeps === null ? 1 : chance * meanSize(sweeps) + 1 - chance;
}
