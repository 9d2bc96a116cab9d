import { useMemo } from 'react';
import type { SampleSeries } from '../../contract/messages.ts';
import type { Device } from '../../domain/device.ts';
import { formatMib } from '../../domain/units.ts';
import { client } from '../connection.ts';
import { locale, t } from '../i18n/t.ts';
import { LineChart, type Lines, type Span } from '../plot/LineChart.tsx';
import { useMachine } from '../store/store.ts';
import { visibleText } from '../text/visibleText.ts';
import { type Poll, usePolled } from '../usePolled.ts';
import { gpuLines, type Stretch } from './gpuLines.ts';
import jobClasses from './JobPage.module.css';

const EVERY_MS = 2000;

/** Use and memory of the GPUs that a job had, for as long as it had them, over the same time as its curves. */
export function GpuCharts(props: { jobId: number; stretches: readonly Stretch[]; span: Span }) {
  const { jobId, stretches, span } = props;
  const order = useMachine((machine) => machine.devices);
  const { value, trouble } = useSamples(stretches);
  const charts = useMemo(
    () => chartsOf(value ?? [], stretches, order, span),
    [value, stretches, order, span],
  );
  return (
    <section aria-label={t('Its GPUs')}>
      <h2 className={jobClasses.title}>{t('Its GPUs')}</h2>
      {trouble !== null && <p className="trouble">{visibleText(trouble)}</p>}
      {value !== null && charts.length === 0 && (
        <p className="dim">{t('Nothing was measured of them then.')}</p>
      )}
      {charts.map((chart) => (
        <LineChart key={chart.name} chart={chart} together={`job ${jobId}`} />
      ))}
    </section>
  );
}

function chartsOf(
  samples: readonly SampleSeries[],
  stretches: readonly Stretch[],
  known: readonly Device[],
  span: Span,
): Lines[] {
  const ids = [...new Set(stretches.flatMap(({ devices }) => devices))];
  const deviceOf = (id: string) => known.find((device) => device.id === id);
  const order = ids.toSorted(
    (a, b) =>
      (deviceOf(a)?.index ?? Number.MAX_SAFE_INTEGER) - (deviceOf(b)?.index ?? Number.MAX_SAFE_INTEGER),
  );
  const nameOf = (id: string): string => `GPU ${deviceOf(id)?.index ?? id}`;
  const memory = order.map((id) => deviceOf(id)?.memoryTotalMib ?? 0);
  const figures = [
    {
      figure: 'utilisation',
      name: t('Use'),
      top: 1,
      text: (share: number) => share.toLocaleString(locale, { style: 'percent' }),
    },
    // Of what is no longer there, nobody knows how much it had.
    {
      figure: 'memoryUsedMib',
      name: t('Memory'),
      ...(Math.max(...memory) > 0 && { top: Math.max(...memory) }),
      text: formatMib,
    },
  ] as const;
  return figures.flatMap(({ figure, name, ...look }) => {
    const found = gpuLines(samples, stretches, order, figure);
    if (found === null) return [];
    const lines = found.lines.map(({ deviceId, values }) => ({
      name: `${name}, ${nameOf(deviceId)}`,
      values,
    }));
    return [{ name, unit: t('time'), at: found.at, lines, span, ...look }];
  });
}

/** Readings of its devices from its first start to its last end, read again while it has some. */
function useSamples(stretches: readonly Stretch[]) {
  const asked = JSON.stringify({
    ids: [...new Set(stretches.flatMap(({ devices }) => devices))],
    sinceMs: stretches[0]?.fromMs ?? 0,
    // The line's end is a moment later.
    ...(stretches.at(-1)?.toMs != null && { toMs: stretches.at(-1)!.toMs! + 1 }),
  });
  const poll = useMemo((): Poll<SampleSeries[]> => {
    const question = JSON.parse(asked) as { ids: string[]; sinceMs: number; toMs?: number };
    return {
      everyMs: EVERY_MS,
      read: (signal) => client().devices.samples(question, { signal }),
      newsOf: (series) =>
        series.map(({ deviceId, readings }) => `${deviceId} ${readings.at(-1)?.atMs}`).join('\n'),
      goesOn: () => question.toMs === undefined,
    };
  }, [asked]);
  return usePolled(poll);
}
