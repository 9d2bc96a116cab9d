import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import classes from './Sparkline.module.css';

export interface SparklineProps {
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  /** Unix ms, ascending. */
  readonly timesMs: readonly number[];
  /** null: not measured then; a gap. */
  readonly values: readonly (number | null)[];
  /** Top of the scale; null: the highest value seen. */
  readonly top: number | null;
  /** Shown span, ms, ending now. */
  readonly spanMs: number;
  readonly nowMs: number;
}

const HEIGHT_PX = 32;

/** The last minutes of one figure as a line, zero at the bottom. */
export function Sparkline(props: SparklineProps) {
  const { label, timesMs, values, top, spanMs, nowMs } = props;
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

  useEffect(() => {
    plot.current?.setData([timesMs.map((ms) => ms / 1000), [...values]]);
  });

  return <div ref={host} className={classes.spark} role="img" aria-label={label} />;
}
