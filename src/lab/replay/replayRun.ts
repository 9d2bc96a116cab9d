import type { Policy } from '../../scheduler/policy.ts';
import type { JobOutcome, Span } from '../../simulator/world.ts';
import { runWorld } from '../runWorld.ts';
import { type SimulationRow, simulationRow } from '../simulationRow.ts';
import type { RecordedJob } from './record.ts';
import { type ReplayMachine, replayWorld } from './replayWorld.ts';

/** What became of the period under one policy. */
export interface ReplayRow extends SimulationRow {
  /** Against what happened: −0.18 is 18 % less. null for what happened itself, and where that is 0. */
  readonly mean_jct_change: number | null;
  readonly p99_jct_change: number | null;
  readonly mean_slowdown_change: number | null;
  readonly max_wait_change: number | null;
}

/** A run with all that a picture of it needs. Times are seconds from the first arrival. */
export interface ReplayRun {
  readonly row: ReplayRow;
  readonly outcomes: readonly JobOutcome[];
  readonly spans: readonly Span[];
}

/** The jobs that are replayed. */
export interface ReplayedJobs {
  /** By arrival. None larger than the machine. */
  readonly jobs: readonly RecordedJob[];
  /** Arrival of the first of the record. */
  readonly originMs: number;
  /** Jobs of the record that are larger than the machine. */
  readonly rejected: number;
}

/** What the row of the record is called. */
const AS_IT_WAS = 'as it was';

/** The record itself, in the form of a run. @param deviceIds of the machine, in its order. */
export function asItWas({ jobs, originMs, rejected }: ReplayedJobs, deviceIds: readonly string[]): ReplayRun {
  const seconds = (ms: number): number => (ms - originMs) / 1000;
  const world = replayWorld(jobs, originMs, { devicesMib: [], startS: 0 }, false);
  const outcomes = jobs.map(
    (job, i): JobOutcome => ({
      job: world.jobs[i]!,
      startedAtS: seconds(job.startedAtMs),
      finishedAtS: seconds(job.finishedAtMs),
      preemptions: 0,
      pauses: job.pausedS > 0 ? 1 : 0,
      oomDeaths: 0,
      // Of the record, not of a simulation.
      energyJ: 0,
      failures: 0,
      lostS: 0,
      attainedGpuS: job.runS * job.gpus,
    }),
  );
  // Devices that are gone come after those that there are.
  const ids = [...new Set([...deviceIds, ...jobs.flatMap(({ devices }) => devices)])];
  const spans = jobs.map(
    (job): Span => ({
      jobId: job.id,
      devices: job.devices.map((id) => ids.indexOf(id)).sort((a, b) => a - b),
      fromS: seconds(job.startedAtMs),
      toS: seconds(job.finishedAtMs),
      computes: true,
    }),
  );
  const row = simulationRow({ name: AS_IT_WAS }, outcomes, { gpus: deviceIds.length, rejected });
  return { row: compared(row, null), outcomes, spans };
}

/**
 * The same jobs under a policy.
 * @param restartable whether it may stop jobs that run, if it is one that does.
 * @throws {PolicyFailure} @throws {SimulationError}
 */
export function replayUnder(
  policy: Policy,
  { jobs, originMs, rejected }: ReplayedJobs,
  machine: ReplayMachine,
  happened: ReplayRun,
  seed: number,
  restartable = policy.preempts === true,
): ReplayRun {
  const spans: Span[] = [];
  const world = replayWorld(jobs, originMs, machine, restartable);
  const outcomes = runWorld(world, policy, seed, (span) => spans.push(span));
  const row = simulationRow(policy, outcomes, { gpus: machine.devicesMib.length, rejected });
  return { row: compared(row, happened.row), outcomes, spans };
}

function compared(row: SimulationRow, happened: SimulationRow | null): ReplayRow {
  const change = (key: 'mean_jct_s' | 'p99_jct_s' | 'mean_slowdown' | 'max_wait_s'): number | null =>
    happened === null || happened[key] <= 0 ? null : row[key] / happened[key] - 1;
  return {
    ...row,
    mean_jct_change: change('mean_jct_s'),
    p99_jct_change: change('p99_jct_s'),
    mean_slowdown_change: change('mean_slowdown'),
    max_wait_change: change('max_wait_s'),
  };
}
