import { Button, SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import { t } from '../i18n/t.ts';
import { LineChart, type Span } from '../plot/LineChart.tsx';
import { visibleText } from '../text/visibleText.ts';
import jobClasses from './JobPage.module.css';
import classes from './MetricCharts.module.css';
import { groupsOverTime, metricGroups } from './metricGroups.ts';
import { useMetrics } from './useMetrics.ts';

const SHOWN = 3;
/**
 * What the job reports of its training, as curves.
 * @param span the time over which its GPUs are shown, so that the curves can lie over the same; null: it had none.
 */
export function MetricCharts(props: { jobId: number; attempt: number; span: Span | null }) {
  const { jobId, attempt, span } = props;
  const { value, trouble } = useMetrics(jobId, attempt);
  const series = value?.series ?? null;
  const [all, setAll] = useState(false);
  const [by, setBy] = useState<'time' | 'step'>('time');
  const bySteps = useMemo(() => metricGroups(series ?? []), [series]);
  const byTime = useMemo(
    () => (span === null || series === null ? [] : groupsOverTime(series, span)),
    [series, span],
  );
  const groups = by === 'time' && byTime.length > 0 ? byTime : bySteps;
  const shown = all ? groups : groups.slice(0, SHOWN);
  return (
    <section aria-label={t('Curves')}>
      <div className={classes.head}>
        <h2 className={jobClasses.title}>{t('Curves')}</h2>
        {byTime.length > 0 && (
          <SegmentedControl
            size="xs"
            aria-label={t('Curves over')}
            value={by}
            onChange={(to) => setBy(to as 'time' | 'step')}
            data={[
              { value: 'time', label: t('over time') },
              { value: 'step', label: t('by step') },
            ]}
          />
        )}
      </div>
      {trouble !== null && <p className="trouble">{visibleText(trouble)}</p>}
      {series !== null && groups.length === 0 && (
        <div className={classes.none}>
          <p>{t('No figures in its output. One line each step is enough:')}</p>
          <code className="mono">{'STINT_PROGRESS={"step": 30, "total": 100, "loss": 0.42}'}</code>
        </div>
      )}
      {shown.map((group) => (
        <LineChart key={`${group.unit} ${group.name}`} chart={group} together={`job ${jobId}`} />
      ))}
      {groups.length > SHOWN && (
        <Button size="compact-xs" variant="default" onClick={() => setAll((old) => !old)}>
          {all ? t('Show fewer') : t('Show all {{length}}', { length: groups.length })}
        </Button>
      )}
    </section>
  );
}
