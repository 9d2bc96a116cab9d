import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import { t } from '../i18n/t.ts';
import { LineChart } from '../plot/LineChart.tsx';
import { visibleText } from '../text/visibleText.ts';
import jobClasses from './JobPage.module.css';
import classes from './MetricCharts.module.css';
import { metricGroups } from './metricGroups.ts';
import { useMetrics } from './useMetrics.ts';

const SHOWN = 3;
/** What the job reports of its training, as curves. */
export function MetricCharts({ jobId, attempt }: { jobId: number; attempt: number }) {
  const { value, trouble } = useMetrics(jobId, attempt);
  const series = value?.series ?? null;
  const [all, setAll] = useState(false);
  const groups = useMemo(() => metricGroups(series ?? []), [series]);
  const shown = all ? groups : groups.slice(0, SHOWN);
  return (
    <section aria-label={t('Curves')}>
      <h2 className={jobClasses.title}>{t('Curves')}</h2>
      {trouble !== null && <p className="trouble">{visibleText(trouble)}</p>}
      {series !== null && groups.length === 0 && (
        <div className={classes.none}>
          <p>{t('No figures in its output. One line each step is enough:')}</p>
          <code className="mono">{'STINT_PROGRESS={"step": 30, "total": 100, "loss": 0.42}'}</code>
        </div>
      )}
      {shown.map((group) => (
        <LineChart key={`${group.unit} ${group.name}`} chart={group} />
      ))}
      {groups.length > SHOWN && (
        <Button size="compact-xs" variant="default" onClick={() => setAll((old) => !old)}>
          {all ? t('Show fewer') : t('Show all {{length}}', { length: groups.length })}
        </Button>
      )}
    </section>
  );
}
