import type { MetricSeries, MetricUnit } from '../../domain/metrics.ts';
import type { Lines } from '../plot/LineChart.tsx';

/** Metrics that belong into one chart: the same figure of training, validation and test, over the same steps. */
export interface MetricGroup extends Lines {
  readonly unit: MetricUnit;
}

/** What a figure is of, before its name: `val_loss`, `train/loss`, `eval.accuracy`. */
const PART = /^(?:train(?:ing)?|val(?:id(?:ation)?)?|test|eval|dev)[_/.-]/;

/** Losses first, else in the order in which they came. */
export function metricGroups(series: readonly MetricSeries[]): MetricGroup[] {
  const groups = new Map<string, MetricSeries[]>();
  for (const one of series) {
    const key = `${one.unit} ${one.name.replace(PART, '')}`;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()]
    .map(groupOf)
    .sort((a, b) => Number(b.name.includes('loss')) - Number(a.name.includes('loss')));
}

function groupOf(members: readonly MetricSeries[]): MetricGroup {
  const at = [...new Set(members.flatMap((one) => one.at))].sort((a, b) => a - b);
  const lines = members.map(({ name, at: places, values }) => {
    const known = new Map(places.map((place, index) => [place, values[index]]));
    return { name, values: at.map((place) => known.get(place)) };
  });
  return { name: members[0]!.name.replace(PART, ''), unit: members[0]!.unit, at, lines };
}
