import { formatDuration } from '../../domain/units.ts';
import type { Replay } from './replay.ts';
import type { ReplayRow, ReplayRun } from './replayRun.ts';

/** Titles of the columns for people. */
export const REPLAY_TITLES = [
  'POLICY',
  'MEAN JCT',
  '±',
  'P99',
  '±',
  'SLOWDOWN',
  '±',
  'MAX WAIT',
  '±',
  'USE',
  'PREEMPTED',
] as const;

/** A row's cells, under the titles. */
export function replayCells(row: ReplayRow): string[] {
  const time = (s: number): string => formatDuration(1000 * s);
  const change = (value: number | null): string => (value === null ? '' : signed(value));
  return [
    row.policy,
    time(row.mean_jct_s),
    change(row.mean_jct_change),
    time(row.p99_jct_s),
    change(row.p99_jct_change),
    row.mean_slowdown.toFixed(2),
    change(row.mean_slowdown_change),
    time(row.max_wait_s),
    change(row.max_wait_change),
    `${(100 * row.utilisation).toFixed(1)} %`,
    String(row.preemptions),
  ];
}

/** What happened, then the replays: those that could be had, and apart from them those that know durations. */
export function replayRows({ happened, runs }: Pick<Replay, 'happened' | 'runs'>): {
  readonly open: readonly ReplayRow[];
  readonly clairvoyant: readonly ReplayRow[];
} {
  const rows = [happened, ...runs].map(({ row }) => row);
  return {
    open: rows.filter(({ clairvoyant }) => !clairvoyant),
    clairvoyant: rows.filter(({ clairvoyant }) => clairvoyant),
  };
}

/** The replay with the least mean completion time among the policies that do not know durations; null where all do. */
export function bestOf({ runs }: Pick<Replay, 'runs'>): ReplayRun | null {
  const open = runs.filter(({ row }) => !row.clairvoyant);
  return open.toSorted((a, b) => a.row.mean_jct_s - b.row.mean_jct_s)[0] ?? null;
}

/** `−18 %`, `+0.4 %`; `?` where there is nothing to compare with. */
export function signed(change: number | null): string {
  if (change === null) return '?';
  const percent = 100 * Math.abs(change);
  const digits = percent.toFixed(percent < 9.95 ? 1 : 0);
  return `${Number(digits) === 0 ? '±' : change < 0 ? '−' : '+'}${digits} %`;
}
