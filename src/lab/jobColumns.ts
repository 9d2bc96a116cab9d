import type { JobOutcome } from '../simulator/world.ts';

/** How each job fared, one entry a job by its id, in columns that are cheap to send. */
export interface JobColumns {
  readonly startS: Float64Array;
  readonly finishS: Float64Array;
  readonly preemptions: Float64Array;
  readonly pauses: Float64Array;
  readonly oomDeaths: Float64Array;
  readonly failures: Float64Array;
  readonly lostGpuS: Float64Array;
  readonly attainedGpuS: Float64Array;
}

/** @param outcomes of the jobs 1 to n, in any order. */
export function jobColumns(outcomes: readonly JobOutcome[]): JobColumns {
  const inOrder = outcomes.toSorted((a, b) => a.job.id - b.job.id);
  const column = (value: (outcome: JobOutcome) => number) => Float64Array.from(inOrder, value);
  return {
    startS: column(({ startedAtS }) => startedAtS),
    finishS: column(({ finishedAtS }) => finishedAtS),
    preemptions: column(({ preemptions }) => preemptions),
    pauses: column(({ pauses }) => pauses),
    oomDeaths: column(({ oomDeaths }) => oomDeaths),
    failures: column(({ failures }) => failures),
    lostGpuS: column(({ lostS, job }) => lostS * job.gpus),
    attainedGpuS: column(({ attainedGpuS }) => attainedGpuS),
  };
}
