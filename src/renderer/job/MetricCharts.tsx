import { Button } from '@mantine/core';
import { useCallback, useMemo, useState } from 'react';
import { formatMetric } from '../../domain/metrics.ts';
import { type Drawing, type Pens, usePlot } from '../plot/usePlot.ts';
import { visibleText } from '../text/visibleText.ts';
import jobClasses from './JobPage.module.css';
import classes from './MetricCharts.module.css';
import { type MetricGroup, metricGroups } from './metricGroups.ts';
import { useMetrics } from './useMetrics.ts';

const HEIGHT_PX = 120;
const SHOWN = 3;
/** Lines of one chart are told apart by their dashes: colour means a project or trouble. */
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [8, 3, 2, 3]];

/** What the job reports of its training, as curves. */
export function MetricCharts({ jobId, attempt }: { jobId: number; attempt: number }) {
  const { series, trouble } = useMetrics(jobId, attempt);
  const [all, setAll] = useState(false);
  const groups = useMemo(() => metricGroups(series ?? []), [series]);
  const shown = all ? groups : groups.slice(0, SHOWN);
  return (
    <section aria-label="Curves">
      <h2 className={jobClasses.title}>Curves</h2>
      {trouble !== null && <p className="trouble">{visibleText(trouble)}</p>}
      {series !== null && groups.length === 0 && (
        <div className={classes.none}>
          <p>No figures in its output. One line each step is enough:</p>
          <code className="mono">{'STINT_PROGRESS={"step": 30, "total": 100, "loss": 0.42}'}</code>
        </div>
      )}
      {shown.map((group) => (
        <MetricChart key={`${group.unit} ${group.name}`} group={group} />
      ))}
      {groups.length > SHOWN && (
        <Button size="compact-xs" variant="default" onClick={() => setAll((old) => !old)}>
          {all ? 'Show fewer' : `Show all ${groups.length}`}
        </Button>
      )}
    </section>
  );
}

function MetricChart({ group }: { group: MetricGroup }) {
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
          ...group.lines.map((_, index) => ({
            stroke: inkOf(index === 0 ? '--ink' : '--ink-2'),
            width: 1.5,
            dash: [...DASHES[index % DASHES.length]!],
            points: { show: group.at.length < 3 },
          })),
        ],
      },
      [[...group.at], ...group.lines.map(({ values }) => [...values])],
    ],
    [group],
  );
  const host = usePlot(HEIGHT_PX, build);
  const told = group.lines.map(({ name, values }) => ({
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
          {group.unit} {formatMetric(group.at.at(-1) ?? null)}
        </span>
      </figcaption>
      <div
        ref={host}
        role="img"
        aria-label={`${visibleText(group.name)} by ${group.unit}, last ${told.map(({ name, last }) => `${visibleText(name)} ${formatMetric(last)}`).join(', ')}`}
      />
    </figure>
  );
}
