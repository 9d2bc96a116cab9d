import { useCallback } from 'react';
import { formatMetric } from '../../domain/metrics.ts';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './LineChart.module.css';
import { type Drawing, type Pens, usePlot } from './usePlot.ts';

const HEIGHT_PX = 120;
/** Lines of one chart are told apart by their dashes: colour means a project or trouble. */
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [8, 3, 2, 3]];

/** What a chart shows. */
export interface Lines {
  readonly name: string;
  /** Of `at`, such as `step`. */
  readonly unit: string;
  /** Going up. */
  readonly at: readonly number[];
  /** Values at `at`; null: no number there; undefined: that line has no point there. */
  readonly lines: readonly {
    readonly name: string;
    readonly values: readonly (number | null | undefined)[];
  }[];
}

/** Lines over the same places, each with its last value in the caption. */
export function LineChart({ chart }: { chart: Lines }) {
  const build = useCallback(
    ({ inkOf, axis }: Pens): Drawing => [
      {
        padding: [8, 8, 0, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 24, grid: { show: false } },
          {
            ...axis,
            size: 56,
            grid: { stroke: inkOf('--line'), width: 1 },
            values: (_, splits) => splits.map(formatMetric),
          },
        ],
        series: [
          {},
          ...chart.lines.map((_, index) => ({
            stroke: inkOf(index === 0 ? '--ink' : '--ink-2'),
            width: 1.5,
            dash: [...DASHES[index % DASHES.length]!],
            points: { show: chart.at.length < 3 },
          })),
        ],
      },
      [[...chart.at], ...chart.lines.map(({ values }) => [...values])],
    ],
    [chart],
  );
  const host = usePlot(HEIGHT_PX, build);
  const told = chart.lines.map(({ name, values }) => ({
    name,
    last: values.findLast((v) => v !== undefined) ?? null,
  }));
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>
        {told.map(({ name, last }, index) => (
          <span key={name} className={classes.key}>
            {told.length > 1 && (
              <svg width="20" height="4" aria-hidden="true">
                <line
                  x1="0"
                  y1="2"
                  x2="20"
                  y2="2"
                  strokeDasharray={DASHES[index % DASHES.length]!.join(' ')}
                />
              </svg>
            )}
            {visibleText(name)} <b>{formatMetric(last)}</b>
          </span>
        ))}
        <span className="dim">
          {chart.unit} {formatMetric(chart.at.at(-1) ?? null)}
        </span>
      </figcaption>
      <div
        ref={host}
        role="img"
        aria-label={t('{{name}} by {{unit}}, last {{a}}', {
          name: visibleText(chart.name),
          unit: chart.unit,
          a: told.map(({ name, last }) => `${visibleText(name)} ${formatMetric(last)}`).join(', '),
        })}
      />
    </figure>
  );
}
