import { boundedSlowdown } from '../../simulator/metrics.ts';
import type { JobOutcome, Span } from '../../simulator/world.ts';
import type { SimulationRow } from '../simulationRow.ts';
import type { ReportRun } from './report.ts';

/** A run as a report shows it. @param nameOf the name of the job of that id; null where it has none. */
export function reportRunOf(
  row: Pick<SimulationRow, 'policy' | 'clairvoyant' | 'preemptions'> & ReportRun['metrics'],
  outcomes: readonly JobOutcome[],
  spans: readonly Span[],
  nameOf: (id: number) => string | null,
): ReportRun {
  return {
    policy: row.policy,
    clairvoyant: row.clairvoyant,
    metrics: row,
    preemptions: row.preemptions,
    spans,
    jobs: outcomes.map(({ job, startedAtS, finishedAtS }) => ({
      id: job.id,
      name: nameOf(job.id),
      user: job.user,
      gpus: job.gpus,
      submitS: job.submittedAtS,
      startS: startedAtS,
      finishS: finishedAtS,
      slowdown: boundedSlowdown(finishedAtS - job.submittedAtS, job.durationS),
    })),
  };
}
