import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { type RefObject, useEffect, useRef } from 'react';
import uPlot from 'uplot';

/** What a chart is drawn with: the theme's inks by the name of their variable, and a quiet axis to start from. */
export interface Pens {
  readonly inkOf: (name: string) => string;
  readonly axis: uPlot.Axis;
}

/** A chart without its size, and its data. */
export type Drawing = readonly [Omit<uPlot.Options, 'width' | 'height'>, uPlot.AlignedData];

/**
 * A chart in the element that `host` is given to: as wide as that, drawn anew when the theme changes.
 * @param build its options and data; keep its identity (`useCallback`) for as long as what it draws is the same.
 */
export function usePlot(
  heightPx: number,
  build: (pens: Pens) => Drawing,
): { readonly host: RefObject<HTMLDivElement | null>; readonly plot: RefObject<uPlot | null> } {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const colorScheme = useComputedColorScheme('dark');
  /** Where the reader points, in what is drawn anew as well; below 0: nowhere. */
  const pointed = useRef(-1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when the theme changes its inks.
  useEffect(() => {
    const element = host.current!;
    const style = getComputedStyle(element);
    const inkOf = (name: string) => style.getPropertyValue(name);
    const axis = { stroke: inkOf('--ink-3'), font: `12px ${style.fontFamily}`, ticks: { show: false } };
    const [options, data] = build({ inkOf, axis });
    const chart = new uPlot({ ...options, width: element.clientWidth, height: heightPx }, data, element);
    plot.current = chart;
    // The others point there already.
    if (pointed.current >= 0) chart.setCursor({ left: pointed.current, top: 0 });
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: heightPx }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      pointed.current = chart.cursor.left ?? -1;
      chart.destroy();
      plot.current = null;
    };
  }, [build, heightPx, colorScheme]);

  return { host, plot };
}
