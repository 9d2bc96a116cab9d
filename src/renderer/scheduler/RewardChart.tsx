import { useCallback, useMemo } from 'react';
import uPlot from 'uplot';
import type { Episode } from '../../domain/episode.ts';
import { type GoalWeights, REWARD_COMPONENTS } from '../../domain/reward.ts';
import { t } from '../i18n/t.ts';
import { type Drawing, type Pens, usePlot } from '../plot/usePlot.ts';
import classes from './RewardChart.module.css';
import { formatReward, rewardSeries, stacked } from './rewardSeries.ts';

const HEIGHT_PX = 200;
/** Columns at which the chart is full; before that they keep to the left. */
const LEAST_COLUMNS = 12;

/**
 * Mean reward rate per episode: columns hang from zero, one stretch per component in three greys, the total
 * marked at their end.
 */
export function RewardChart(props: {
  episodes: readonly Episode[];
  goals: GoalWeights;
  /** Episodes over whose columns somebody dragged, or clicked; keep its identity. */
  onChoose(ids: readonly number[]): void;
}) {
  const { episodes, goals, onChoose } = props;
  const series = useMemo(() => rewardSeries(episodes, goals), [episodes, goals]);

  const build = useCallback(
    ({ inkOf, axis }: Pens): Drawing => {
      const sums = stacked(series);
      const bars = uPlot.paths.bars!({ size: [0.6, 48], align: 0 });
      const tones = ['--tone-1', '--tone-2', '--tone-3'].map(inkOf);
      const places = series.ids.map((_, index) => index);
      const options: Drawing[0] = {
        padding: [12, 8, 0, 0],
        // Dragging over columns chooses their episodes; the chart itself stays as it is.
        cursor: {
          show: true,
          x: false,
          y: false,
          points: { show: false },
          drag: { x: true, y: false, setScale: false },
        },
        hooks: {
          setSelect: [
            (plot) => {
              const { left, width } = plot.select;
              const at = (px: number): number => Math.round(plot.posToVal(px, 'x'));
              const chosen = series.ids.filter((_, i) => i >= at(left) && i <= at(left + width));
              plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
              if (chosen.length > 0) onChoose(chosen);
            },
          ],
        },
        legend: { show: false },
        scales: {
          x: { time: false, range: () => [-0.7, Math.max(LEAST_COLUMNS, series.ids.length) - 0.3] },
          y: { range: (_, min) => [Math.min(-0.01, (min ?? 0) * 1.1), 0] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            splits: () => places.filter((i) => i % Math.ceil(Math.max(1, places.length / 16)) === 0),
            values: (_, splits) => splits.map((i) => (series.ids[i] === undefined ? '' : `${series.ids[i]}`)),
            size: 28,
          },
          {
            ...axis,
            size: 64,
            grid: { stroke: inkOf('--line'), width: 1 },
            values: (_, splits) => splits.map(formatReward),
          },
        ],
        // The outermost sum first, so that the inner ones are drawn over it.
        series: [
          {},
          ...[2, 1, 0].map((k) => ({ fill: tones[k]!, width: 0, paths: bars, points: { show: false } })),
          {
            stroke: inkOf('--ink'),
            width: 0,
            points: { show: true, size: 7, fill: inkOf('--paper'), stroke: inkOf('--ink'), width: 2 },
          },
        ],
      };
      return [options, [places, [...sums[2]!], [...sums[1]!], [...sums[0]!], [...series.totals]]];
    },
    [series, onChoose],
  );
  const { host } = usePlot(HEIGHT_PX, build);

  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>
        <span>{t('Reward per episode, mean rate, 0 is best')}</span>
        {REWARD_COMPONENTS.map((name, index) => (
          <span key={name} className={classes.key}>
            <i style={{ background: `var(--tone-${index + 1})` }} />
            {name} <span className="dim">× {goals[name]}</span>
          </span>
        ))}
        <span className={classes.key}>
          <i className={classes.total} />
          {t('total')}
        </span>
      </figcaption>
      <div
        ref={host}
        role="img"
        aria-label={t(
          'Reward of the last {{length}} episodes by component; the figures are in the table below',
          { length: series.ids.length },
        )}
      />
    </figure>
  );
}
