import { useMemo } from 'react';
import type { SchedulerStatus } from '../../contract/messages.ts';
import type { LearningPoint } from '../../domain/learningCurve.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { LineChart, type Lines } from '../plot/LineChart.tsx';
import { visibleText } from '../text/visibleText.ts';
import { type Poll, type Polled, usePolled } from '../usePolled.ts';

/** How learning goes on this machine, by gradient steps. */
export function LearningCurves({ status }: { readonly status: SchedulerStatus }) {
  const { value: points, trouble } = useCurve(status.learner.state === 'learning');
  const charts = useMemo(() => chartsOf(points ?? [], status.heuristic), [points, status.heuristic]);
  if (trouble !== null) return <p className="trouble">{visibleText(trouble)}</p>;
  if (points === null) return <p className="dim">…</p>;
  if (points.length === 0)
    return (
      <p className="dim">
        {t('Nothing learned here yet. Decisions in which there was a choice are learned from.')}
      </p>
    );
  return charts.map((chart) => <LineChart key={chart.name} chart={chart} />);
}

function chartsOf(points: readonly LearningPoint[], heuristic: string): Lines[] {
  const chart = (name: string, lines: Lines['lines']): Lines => ({
    name,
    unit: 'step',
    at: points.map(({ trainSteps }) => trainSteps),
    lines,
  });
  return [
    chart('loss', [{ name: 'loss', values: points.map(({ loss }) => loss) }]),
    chart(t('shares of decisions'), [
      { name: t('as {{heuristic}} would', { heuristic }), values: points.map(({ agreement }) => agreement) },
      { name: 'random, ε', values: points.map(({ epsilon }) => epsilon) },
    ]),
  ];
}

function useCurve(learning: boolean): Polled<LearningPoint[]> {
  const poll = useMemo(
    (): Poll<LearningPoint[]> => ({
      everyMs: 5000,
      read: (signal) => client().scheduler.learningCurve(undefined, { signal }),
      newsOf: (points) => points.at(-1)?.trainSteps ?? 0,
      goesOn: () => learning,
    }),
    [learning],
  );
  return usePolled(poll);
}
