import { seededRng } from '../../../src/domain/rng.ts';
import type { Report, ReportRun } from '../../../src/lab/report/renderReport.ts';
import { reportRunOf } from '../../../src/lab/report/reportRun.ts';
import { simulationRow } from '../../../src/lab/simulationRow.ts';
import type { Policy } from '../../../src/scheduler/policy.ts';
import { generateJobs, type PresetName } from '../../../src/simulator/generator/generate.ts';
import { simulate } from '../../../src/simulator/machine.ts';
import { type RegimeName, worldOf } from '../../../src/simulator/regimes.ts';
import type { Span } from '../../../src/simulator/world.ts';

export interface SimulatedReportOptions {
  readonly preset: PresetName;
  readonly regime: RegimeName;
  readonly jobs: number;
  readonly gpus: number;
  readonly load: number;
  readonly policies: readonly [Policy, Policy];
}

/** A report of generated jobs that were really simulated under two policies. */
export function simulatedReport({ preset, regime, policies, ...rest }: SimulatedReportOptions): Report {
  const { gpus, load } = rest;
  const all = [...generateJobs(preset, { jobs: rest.jobs, seed: 7, gpus, load })];
  const jobs = all.filter((job) => job.gpus <= gpus);
  const world = worldOf(regime, jobs, { gpus, seed: 7 });
  const runs = policies.map((policy): ReportRun => {
    const spans: Span[] = [];
    const onSpan = (span: Span): void => void spans.push(span);
    const outcomes = simulate(world, { policy, heuristic: policy, rng: seededRng(7), onSpan });
    const row = simulationRow(policy, outcomes, { gpus, rejected: all.length - jobs.length });
    return reportRunOf(row, outcomes, spans, (id) => jobs[id - 1]!.name);
  });
  return {
    title: `${policies[1].name} against ${policies[0].name}`,
    facts: [
      ['workload', `${preset}, seed 7`],
      ['jobs', String(jobs.length)],
      ['machine', `${gpus} GPUs`],
      ['regime', regime],
      ['load', String(load)],
    ],
    gpus,
    runs: [runs[0]!, runs[1]!],
    table: {
      columns: ['policy', 'mean JCT', 'p99 JCT', 'of the best heuristic'],
      rows: [
        ['las', '3 h 2 min', '12 h', '0.98 [0.95, 1.01]'],
        ['srtf (knows true durations)', '2 h 10 min', '9 h 30 min', '0.71 [0.66, 0.75]'],
      ],
      notes: ['Intervals: 95 %, bootstrap over windows.'],
    },
  };
}
