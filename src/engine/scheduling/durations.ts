import { gpusOf, type Job } from '../../domain/job.ts';
import type { PredictionSource } from '../../domain/predictionSource.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import { scriptOf } from '../../domain/script.ts';
import {
  type Calibration,
  DurationModel,
  type DurationPrediction,
  type RunKeys,
  remainingAfter,
} from '../../scheduler/durationModel.ts';
import type { TimeSpread } from '../../scheduler/snapshot.ts';

/** Jobs that are looked at when the engine starts: what is older has faded. */
export const MOST_LEARNED = 2000;

/** What is predicted of a job that has not run, until another one ends. */
interface Kept {
  readonly keys: RunKeys;
  version: number;
  remaining: TimeSpread | null;
}

/**
 * How long jobs will run, from how long others ran that succeeded, the submitters' guesses, and what jobs say of their own
 * progress. Made anew from the record at each start.
 */
export class Durations {
  private readonly model = new DurationModel();
  /** By the array of the command, which stays the same object for as long as the job is known. */
  private readonly kept = new WeakMap<readonly string[], Kept>();

  /** @param latest jobs that are over, the latest first. */
  constructor(latest: Iterable<Job>) {
    const runs = [];
    // One at a time: an environment may be large.
    for (const job of latest) {
      const run = runOf(job);
      if (run !== null) runs.push(run);
    }
    for (const run of runs.reverse()) this.model.learn(run);
  }

  ended(job: Job): void {
    const run = runOf(job);
    if (run !== null) this.model.learn(run);
  }

  /** Quantiles of what is left to run; null: nothing is known of anything like it. */
  remainingOf(job: Job, nowMs: number): TimeSpread | null {
    const ranS = ranInAllS(job, nowMs);
    if (ranS > 0) {
      const prediction = this.predictionOf(job);
      return prediction === null ? null : remainingAfter(prediction, ranS);
    }
    const kept = this.keptOf(job);
    if (kept.version !== this.model.version) {
      const prediction = this.model.predict(kept.keys, job.estimateS);
      kept.remaining = prediction === null ? null : remainingAfter(prediction, 0);
      kept.version = this.model.version;
    }
    return kept.remaining;
  }

  /** The same, with what tells most of it. */
  tell(job: Job, nowMs: number): (TimeSpread & { readonly source: PredictionSource }) | null {
    const prediction = this.predictionOf(job);
    if (prediction === null) return null;
    return { ...remainingAfter(prediction, ranInAllS(job, nowMs)), source: prediction.source };
  }

  private predictionOf(job: Job): DurationPrediction | null {
    const { keys } = this.keptOf(job);
    const progress =
      job.progress === null
        ? null
        : { fraction: job.progress.fraction, ranS: ranInAllS(job, job.progress.atMs) };
    return this.model.predict(keys, job.estimateS, progress);
  }

  get calibration(): Calibration {
    return this.model.calibration;
  }

  private keptOf(job: Job): Kept {
    let kept = this.kept.get(job.command);
    if (kept === undefined) {
      kept = { keys: keysOf(job), version: -1, remaining: null };
      this.kept.set(job.command, kept);
    }
    return kept;
  }
}

function keysOf({ command, project, user, gpus }: Job): RunKeys {
  return { project, user, script: scriptOf(command), exact: `${gpus}\0${command.join('\0')}` };
}

/** Null for a job that did not come to its end by itself: it says nothing of how long such a job takes. */
function runOf(job: Job) {
  if (job.status !== 'succeeded' || job.finishedAtMs === null) return null;
  const durationS = ranInAllS(job, job.finishedAtMs);
  return durationS > 0 ? { ...keysOf(job), durationS, estimateS: job.estimateS } : null;
}

/** What it has run before it gave way included: it went on from there. */
const ranInAllS = (job: Job, nowMs: number): number =>
  job.earlierGpuS / Math.max(1, gpusOf(job)) + runSeconds(job, nowMs);
