/** One line of the table: a figure with its target, measured several times in this run. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** One value per repetition. */
  readonly values: readonly number[];
  /** What was promised, and whether more or less than it is good; null for a figure that is only reported. */
  readonly target: { readonly limit: number; readonly better: 'less' | 'more' } | null;
  /** How it was measured, in a few words. */
  readonly how: string;
}

/** The q-quantile by linear interpolation. @param values at least one. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const rest = at - below;
  return sorted[below]! * (1 - rest) + (sorted[below + 1] ?? sorted[below]!) * rest;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Whether the median keeps the promise; null where there is none. */
export function kept({ values, target }: Figure): boolean | null {
  if (target === null) return null;
  const value = median(values);
  return target.better === 'less' ? value < target.limit : value > target.limit;
}

const shown = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2);

/** The figures as an aligned table. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { values, unit, target } = figure;
    const promise = target === null ? '' : `${target.better === 'less' ? '<' : '>'} ${target.limit} ${unit}`;
    const verdict = kept(figure);
    return [
      figure.what,
      `${shown(median(values))} ${unit}`,
      `${shown(Math.min(...values))} – ${shown(Math.max(...values))}`,
      String(values.length),
      promise,
      verdict === null ? '' : verdict ? 'kept' : 'MISSED',
    ];
  });
  const all = [['figure', 'median', 'least – most', 'n', 'promised', ''], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
