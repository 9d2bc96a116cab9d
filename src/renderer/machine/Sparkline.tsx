import { useComputedColorScheme } from '@mantine/core';
import { memo, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useNow } from '../store/store.ts';
import classes from './Sparkline.module.css';

export interface SparklineProps<S extends { readonly atMs: number }> {
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  /** Oldest first; the same array while nothing is new. */
  readonly samples: readonly S[];
  /** Which figure of them. A gap where it is null: not measured then. */
  readonly figure: { readonly [K in keyof S]: S[K] extends number | null ? K : never }[keyof S];
  /** Top of the scale; null: the highest value seen. */
  readonly top: number | null;
  /** Shown span, ms. */
  readonly spanMs: number;
  /** Its end; now, when left out. */
  readonly untilMs?: number;
}

const HEIGHT_PX = 20;

/** The last minutes of one figure as a line, zero at the bottom. Up to now, it is drawn once a second. */
export const Sparkline = memo(function Sparkline<S extends { readonly atMs: number }>(
  props: SparklineProps<S>,
) {
  const { label, samples, figure, top, spanMs } = props;
  const second = useNow();
  const nowMs = props.untilMs ?? second;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const colorScheme = useComputedColorScheme('dark');
  const scale = useRef({ fromS: 0, toS: 1, top });
  scale.current = { fromS: (nowMs - spanMs) / 1000, toS: nowMs / 1000, top };

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when the theme changes its inks.
  useEffect(() => {
    const element = host.current!;
    const ink = getComputedStyle(element).getPropertyValue('--ink-2');
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PX,
        padding: [2, 0, 1, 0],
        cursor: { show: false },
        legend: { show: false },
        axes: [{ show: false }, { show: false }],
        scales: {
          x: { time: true, range: () => [scale.current.fromS, scale.current.toS] },
          y: { range: (_, __, max) => [0, scale.current.top ?? Math.max(1, max ?? 1) * 1.1] },
        },
        series: [{}, { stroke: ink, width: 1.25, points: { show: false }, spanGaps: false }],
      },
      [[], []],
      element,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [colorScheme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the second moves the scale.
  useEffect(() => {
    plot.current?.setData([
      samples.map(({ atMs }) => atMs / 1000),
      samples.map((sample) => sample[figure] as number | null),
    ]);
  }, [samples, figure, nowMs, colorScheme]);

  return <div ref={host} className={classes.spark} role="img" aria-label={label} />;
}) as <S extends { readonly atMs: number }>(props: SparklineProps<S>) => React.ReactNode;
