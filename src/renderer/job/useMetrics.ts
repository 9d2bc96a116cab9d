import { useEffect, useState } from 'react';
import { messageOf } from '../../domain/errors.ts';
import type { MetricSeries } from '../../domain/metrics.ts';
import { client } from '../connection.ts';
import { useStint } from '../store/store.ts';
import { isCutOff } from '../text/troubleText.ts';

const INTERVAL_MS = 2000;

export interface Metrics {
  /** null: not known yet. */
  readonly series: readonly MetricSeries[] | null;
  readonly trouble: string | null;
}

/** A job's metrics, read again every two seconds until it is over. @param attempt its launches so far. */
export function useMetrics(jobId: number, attempt: number): Metrics {
  const live = useStint((state) => state.phase === 'live');
  const [metrics, setMetrics] = useState<Metrics>({ series: null, trouble: null });

  useEffect(() => {
    if (!live) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      try {
        const { series, complete } = await client().jobs.metrics(
          { id: jobId },
          { signal: controller.signal },
        );
        // What is the same is not drawn again.
        setMetrics((old) =>
          old.trouble === null && old.series !== null && newsOf(old.series) === newsOf(series)
            ? old
            : { series, trouble: null },
        );
        if (complete || attempt === 0 || controller.signal.aborted) return;
        timer = setTimeout(() => void load(), INTERVAL_MS);
      } catch (error) {
        // A lost connection is told above, and it is read again after it.
        if (controller.signal.aborted || isCutOff(error)) return;
        setMetrics((old) => ({ ...old, trouble: messageOf(error) }));
      }
    };
    void load();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [jobId, attempt, live]);

  return metrics;
}

/** Changes with every point. */
const newsOf = (series: readonly MetricSeries[]): string =>
  series.map(({ name, unit, at, lastAtMs }) => `${unit} ${name} ${at.length} ${lastAtMs}`).join('\n');
