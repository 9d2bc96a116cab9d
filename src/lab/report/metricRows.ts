import type { Metrics } from '../../simulator/metrics.ts';
import { count, duration, percent, times, UNKNOWN } from './figures.ts';
import type { ReportRun } from './report.ts';

export interface MetricRow {
  readonly label: string;
  /** What it means, in a few words. */
  readonly about: string;
  readonly values: readonly [string, string];
  /** Second / first; NaN where that says nothing. */
  readonly ratio: number;
  /** What more of it means; null: neither. */
  readonly more: 'better' | 'worse' | null;
}

type Definition = readonly [
  label: string,
  about: string,
  show: (value: number) => string,
  more: MetricRow['more'],
];

const seconds = (value: number): string => (Number.isFinite(value) ? duration(value) : UNKNOWN);

const DEFINITIONS: Readonly<Record<keyof Metrics, Definition>> = {
  mean_jct_s: ['Completion time, mean', 'from submission to finish', seconds, 'worse'],
  p50_jct_s: ['Completion time, median', 'half of the jobs take longer', seconds, 'worse'],
  p95_jct_s: ['Completion time, p95', 'one job in 20 takes longer', seconds, 'worse'],
  p99_jct_s: ['Completion time, p99', 'one job in 100 takes longer', seconds, 'worse'],
  mean_slowdown: ['Slowdown, mean', 'completion time / duration, at least 1', times, 'worse'],
  max_wait_s: ['Longest wait', 'completion time − duration', seconds, 'worse'],
  makespan_s: ['Makespan', 'first submission to last finish', seconds, 'worse'],
  utilisation: ['Utilisation', 'work done / work possible', percent, 'better'],
  jain: [
    'Fairness',
    'Jain’s index of the users’ mean slowdowns; 1 is even',
    (value) => value.toFixed(3),
    'better',
  ],
};

/** Every figure of both runs, in the order of reading. */
export function metricRows([first, second]: readonly [ReportRun, ReportRun]): MetricRow[] {
  const rows = Object.entries(DEFINITIONS).map(([key, [label, about, show, more]]): MetricRow => {
    const [a, b] = [valueIn(first, key as keyof Metrics), valueIn(second, key as keyof Metrics)];
    const shown = (value: number): string => (Number.isFinite(value) ? show(value) : UNKNOWN);
    return { label, about, values: [shown(a), shown(b)], ratio: ratioOf(a, b), more };
  });
  const preemptions = [first.preemptions, second.preemptions] as const;
  return [
    ...rows,
    {
      label: 'Preemptions',
      about: 'stops of running jobs',
      values: [count(preemptions[0]), count(preemptions[1])],
      ratio: ratioOf(...preemptions),
      more: null,
    },
  ];
}

/** Of no jobs, nothing is known. */
function valueIn({ jobs, metrics }: ReportRun, key: keyof Metrics): number {
  return jobs.length > 0 ? metrics[key] : Number.NaN;
}

function ratioOf(first: number, second: number): number {
  if (first === second && Number.isFinite(first)) return 1;
  return first === 0 ? Number.NaN : second / first;
}
