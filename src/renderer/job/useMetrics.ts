import { useMemo } from 'react';
import type { MetricSeries } from '../../domain/metrics.ts';
import { client } from '../connection.ts';
import { type Poll, type Polled, usePolled } from '../usePolled.ts';

interface Metrics {
  readonly series: readonly MetricSeries[];
  readonly complete: boolean;
}

/** A job's metrics, read again every two seconds until it is over. @param attempt its launches so far. */
export function useMetrics(jobId: number, attempt: number): Polled<Metrics> {
  const poll = useMemo(
    (): Poll<Metrics> => ({
      everyMs: 2000,
      read: (signal) => client().jobs.metrics({ id: jobId }, { signal }),
      newsOf: ({ series }) =>
        series.map(({ name, unit, at, lastAtMs }) => `${unit} ${name} ${at.length} ${lastAtMs}`).join('\n'),
      goesOn: ({ complete }) => !complete && attempt !== 0,
    }),
    [jobId, attempt],
  );
  return usePolled(poll);
}
