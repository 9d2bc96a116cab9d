import { Slider } from '@mantine/core';
import { useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { t } from '../i18n/t.ts';
import { throttle } from '../jobActions.ts';
import classes from './MoreActions.module.css';

const LEAST_PERCENT = 5;
const MARKS = [25, 50, 75].map((value) => ({ value, label: `${value} %` }));

/** At which share of their speed running jobs are held; at the right end nothing holds them. */
export function ThrottleSlider({ jobs }: { jobs: readonly JobView[] }) {
  const shares = new Set(jobs.map((job) => Math.round((job.throttle?.share ?? 1) * 100)));
  const [now] = shares;
  const [draft, setDraft] = useState<number | null>(null);
  const percent = draft ?? now ?? 100;
  const text = (value: number) => (value >= 100 ? t('full speed') : `${value} %`);
  return (
    <div className={classes.speed}>
      <span className={classes.speedHead}>
        <span>{t('Speed')}</span>
        <b>{draft === null && shares.size > 1 ? t('different') : text(percent)}</b>
      </span>
      <Slider
        size="sm"
        color="var(--ink)"
        min={LEAST_PERCENT}
        max={100}
        step={5}
        marks={MARKS}
        label={null}
        value={percent}
        thumbLabel={t('Speed')}
        thumbValueText={text(percent)}
        onChange={setDraft}
        onChangeEnd={(value) => {
          void throttle(jobs, value >= 100 ? null : value / 100).finally(() => setDraft(null));
        }}
      />
    </div>
  );
}
