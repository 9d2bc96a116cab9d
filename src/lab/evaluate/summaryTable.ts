import type { PolicySummary, Ratio } from './summary.ts';

/** Titles of what {@link summaryCells} gives; all but the first are ratios with their intervals. */
export const SUMMARY_TITLES: readonly string[] = [
  'POLICY',
  'JCT / BEST',
  "/ WINDOW'S BEST",
  '/ SRTF',
  'P99 / BEST',
  "/ WINDOW'S BEST",
  '/ SRTF',
];

/** A policy's row of a table, for people. */
export function summaryCells({ policy, mean_jct_s: mean, p99_jct_s: p99 }: PolicySummary): string[] {
  return [
    policy,
    ...[mean, p99].flatMap((standing) =>
      [standing.to_best_single, standing.to_best_of_window, standing.to_srtf].map(shown),
    ),
  ];
}

function shown(ratio: Ratio | null): string {
  if (ratio === null) return '–';
  const { ratio: value, low, high } = ratio;
  return low === null || high === null ? short(value) : `${short(value)} (${short(low)}–${short(high)})`;
}

const short = (value: number): string => (value < 100 ? value.toFixed(2) : value.toPrecision(3));

/** The best first; whoever knows true durations apart. */
export function ranked(policies: readonly PolicySummary[]): {
  readonly open: readonly PolicySummary[];
  readonly clairvoyant: readonly PolicySummary[];
} {
  const sorted = policies.toSorted((a, b) => a.mean_jct_s.geometric_mean_s - b.mean_jct_s.geometric_mean_s);
  return {
    open: sorted.filter(({ clairvoyant }) => !clairvoyant),
    clairvoyant: sorted.filter(({ clairvoyant }) => clairvoyant),
  };
}
