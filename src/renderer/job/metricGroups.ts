import type { MetricSeries } from '../../domain/metrics.ts';
import { t } from '../i18n/t.ts';
import type { Lines, Span } from '../plot/LineChart.tsx';

/** What a figure is of, before its name: `val_loss`, `train/loss`, `eval.accuracy`. */
const PART = /^(?:train(?:ing)?|val(?:id(?:ation)?)?|test|eval|dev)[_/.-]/;

/** Charts of the figures: the same one of training, validation and test over the same steps in one. Losses first, else as they came. */
export const metricGroups = (series: readonly MetricSeries[]): Lines[] =>
  grouped(series).map((members) => ({
    name: nameOf(members),
    unit: members[0]!.unit,
    ...laidOver(members.map(({ name, at, values }) => ({ name, at, values }))),
  }));

/** The same over the time at which they were read. Without what was read by an older Stint, which kept no times. */
export const groupsOverTime = (series: readonly MetricSeries[], span: Span): Lines[] =>
  grouped(series).flatMap((members) => {
    const timed = members.flatMap(({ name, readAtMs, values }) => {
      const points = readAtMs.flatMap((atMs, i) =>
        // What was read just after its end belongs to it.
        atMs === null ? [] : [[Math.min(atMs, span.toMs), values[i] ?? null] as const],
      );
      // A job that started again from its checkpoint told some steps a second time, later: time goes on.
      points.sort(([a], [b]) => a - b);
      return points.length === 0
        ? []
        : [{ name, at: points.map(([atMs]) => atMs), values: points.map(([, value]) => value) }];
    });
    return timed.length === 0 ? [] : [{ name: nameOf(members), unit: t('time'), span, ...laidOver(timed) }];
  });

function grouped(series: readonly MetricSeries[]): MetricSeries[][] {
  const groups = Map.groupBy(series, ({ unit, name }) => `${unit} ${name.replace(PART, '')}`);
  return [...groups.values()].sort(
    (a, b) => Number(nameOf(b).includes('loss')) - Number(nameOf(a).includes('loss')),
  );
}

const nameOf = ([first]: readonly MetricSeries[]): string => first!.name.replace(PART, '');

/** Lines over all of their places. */
function laidOver(
  lines: readonly { name: string; at: readonly number[]; values: readonly (number | null)[] }[],
): Pick<Lines, 'at' | 'lines'> {
  const at = [...new Set(lines.flatMap((one) => one.at))].sort((a, b) => a - b);
  return {
    at,
    lines: lines.map(({ name, at: places, values }) => {
      const known = new Map(places.map((place, index) => [place, values[index]]));
      return { name, values: at.map((place) => known.get(place)) };
    }),
  };
}
