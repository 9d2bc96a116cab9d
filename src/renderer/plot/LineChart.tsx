import { type KeyboardEvent, useCallback, useState } from 'react';
import { formatMetric } from '../../domain/metrics.ts';
import { t } from '../i18n/t.ts';
import { formatClock, formatClockSeconds, formatDayClock } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './LineChart.module.css';
import { type Drawing, type Pens, usePlot } from './usePlot.ts';

const HEIGHT_PX = 120;
const DAY_MS = 86_400_000;
/** Lines of one chart are told apart by their dashes: colour means a project or trouble. */
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [8, 3, 2, 3]];

/** A stretch of time, Unix milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a chart shows. */
export interface Lines {
  readonly name: string;
  /** Of `at`, such as `step`. */
  readonly unit: string;
  /** `at` is in Unix milliseconds, and this is what is shown, whatever there is of it. Left out: `at` counts something. */
  readonly span?: Span;
  /** How a value is written; as a figure of a training when left out. */
  readonly text?: (value: number) => string;
  /** Top of the scale; as the values need when left out. */
  readonly top?: number;
  /** Going up. */
  readonly at: readonly number[];
  /** Values at `at`; null: no number there; undefined: that line has no point there. */
  readonly lines: readonly {
    readonly name: string;
    readonly values: readonly (number | null | undefined)[];
  }[];
}

/**
 * Lines over the same places, each with its last value in the caption, or that at which the reader points.
 * @param together charts of the same name and unit point at the same place.
 */
export function LineChart({ chart, together }: { chart: Lines; together?: string }) {
  const { span, top, text: textOf = formatMetric } = chart;
  const [place, setPlace] = useState<number | null>(null);
  const build = useCallback(
    ({ inkOf, axis }: Pens): Drawing => [
      {
        // The last moment of a stretch is written below its end.
        // Room for half of the last label below.
        padding: [8, 28, 0, 0],
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: false, y: false },
          ...(together !== undefined && { sync: { key: `${together} ${chart.unit}`, setSeries: false } }),
        },
        hooks: { setCursor: [({ cursor }) => setPlace(cursor.idx ?? null)] },
        legend: { show: false },
        scales: {
          x:
            span === undefined
              ? { time: false }
              : { time: true, range: [span.fromMs / 1000, span.toMs / 1000] },
          ...(top !== undefined && { y: { range: [0, top] } }),
        },
        axes: [
          {
            ...axis,
            size: 24,
            grid: { show: false },
            ...(span !== undefined && {
              space: 80,
              values: (_: unknown, splits: number[]) => splits.map((s) => clockOf(span)(1000 * s)),
            }),
          },
          {
            ...axis,
            size: 56,
            grid: { stroke: inkOf('--line'), width: 1 },
            values: (_, splits) => splits.map((value) => textOf(value)),
            ...(top !== undefined && { splits: [0, top / 2, top] }),
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
      [
        span === undefined ? [...chart.at] : chart.at.map((ms) => ms / 1000),
        ...chart.lines.map(({ values }) => [...values]),
      ],
    ],
    [chart, span, top, textOf, together],
  );
  const { host, plot } = usePlot(HEIGHT_PX, build);
  /** Points one place further, which the charts beside it do as well. */
  const point = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined || plot.current === null) return;
    event.preventDefault();
    const to = Math.min(chart.at.length - 1, Math.max(0, (place ?? (by > 0 ? -1 : chart.at.length)) + by));
    const x = chart.at[to]! / (span === undefined ? 1 : 1000);
    // Its declaration lacks the third: the charts beside it are told as well.
    const setCursor: (to: { left: number; top: number }, fire: boolean, tell: boolean) => void =
      plot.current.setCursor;
    setCursor({ left: plot.current.valToPos(x, 'x'), top: 0 }, true, true);
  };
  const told = chart.lines.map(({ name, values }) => ({
    name,
    last: values.findLast((v) => v !== undefined) ?? null,
    there: place === null ? undefined : values[place],
  }));
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>
        {told.map(({ name, last, there }, index) => (
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
            {visibleText(name)} <b>{valueText(place === null ? last : there, textOf)}</b>
          </span>
        ))}
        <span className="dim">{placeText(chart, place ?? chart.at.length - 1)}</span>
      </figcaption>
      <div
        ref={host}
        role="img"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys point at its places.
        tabIndex={0}
        onKeyDown={point}
        aria-label={t('{{name}} by {{unit}}, last {{a}}', {
          name: visibleText(chart.name),
          unit: chart.unit,
          a: told.map(({ name, last }) => `${visibleText(name)} ${valueText(last, textOf)}`).join(', '),
        })}
      />
    </figure>
  );
}

/** `–`: this line has nothing there. */
const valueText = (value: number | null | undefined, textOf: (value: number) => string): string =>
  value === undefined ? '–' : value === null ? formatMetric(null) : textOf(value);

const placeText = ({ span, unit, at }: Lines, place: number): string => {
  const x = at[place];
  if (x === undefined) return '';
  return span === undefined ? `${unit} ${formatMetric(x)}` : clockOf(span)(x);
};

const clockOf = ({ fromMs, toMs }: Span): ((atMs: number) => string) =>
  toMs - fromMs < 10 * 60_000 ? formatClockSeconds : toMs - fromMs < DAY_MS ? formatClock : formatDayClock;
