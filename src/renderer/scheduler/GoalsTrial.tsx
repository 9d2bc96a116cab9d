import { Button, Progress } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { GoalsPreview } from '../../domain/goalsPreview.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatClock } from '../text/formatTime.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './Goals.module.css';

const MOST_MOVED = 3;

/** What goals that are only tried would have changed in the last day, and the buttons that set or leave them. */
export function GoalsTrial(props: { tried: Partial<GoalWeights>; onEnd(set: boolean): void }) {
  const { tried, onEnd } = props;
  const [fraction, setFraction] = useState<number | null>(null);
  const [preview, setPreview] = useState<GoalsPreview | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const some = Object.keys(tried).length > 0;
  useEffect(() => {
    if (!some) return;
    const controller = new AbortController();
    const { signal } = controller;
    const replay = async (): Promise<void> => {
      try {
        setTrouble(null);
        setFraction(0);
        for await (const message of await client().goals.preview({ goals: tried }, { signal })) {
          if (message.type === 'progress') setFraction(message.fraction);
          else setPreview(message.preview);
        }
      } catch (error) {
        if (!signal.aborted) setTrouble(troubleText(error));
      } finally {
        if (!signal.aborted) setFraction(null);
      }
    };
    void replay();
    return () => controller.abort();
  }, [tried, some]);
  return (
    <section className={classes.trial} aria-label={t('What would have changed')}>
      {!some && <p className="dim">{t('Move a slider: nothing is set until you say so.')}</p>}
      {fraction !== null && (
        <Progress
          value={100 * fraction}
          size={4}
          color="var(--ink)"
          aria-label={t('Replaying the last day')}
        />
      )}
      {trouble !== null && <p className="trouble">{visibleText(trouble)}</p>}
      {preview !== null && <Changes preview={preview} />}
      <div className={classes.answers}>
        <Button size="compact-xs" disabled={!some} onClick={() => onEnd(true)}>
          {t('Set them')}
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => onEnd(false)}>
          {t('Leave them')}
        </Button>
      </div>
    </section>
  );
}

function Changes({ preview }: { preview: GoalsPreview }) {
  const { now, instead, jobs, earlier, later, moved } = preview;
  const time = (seconds: number): string => formatDuration(1000 * seconds);
  const rows: readonly (readonly [string, string, string])[] = [
    [t('Mean wait'), time(now.meanWaitS), time(instead.meanWaitS)],
    [t('Longest wait'), time(now.maxWaitS), time(instead.maxWaitS)],
    [t('Mean JCT'), time(now.meanCompletionS), time(instead.meanCompletionS)],
    [t('Slowdown'), now.meanSlowdown.toFixed(2), instead.meanSlowdown.toFixed(2)],
    [t('Energy, kWh'), now.energyKwh.toPrecision(3), instead.energyKwh.toPrecision(3)],
  ];
  return (
    <>
      <table className={classes.changes}>
        <caption>
          {t('{{jobs}} jobs of the last day, replayed: {{earlier}} earlier, {{later}} later', {
            jobs,
            earlier,
            later,
          })}
        </caption>
        <tbody>
          {rows.map(([what, before, after]) => (
            <tr key={what}>
              <td>{what}</td>
              <td className="dim">{before}</td>
              <td>{after}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {moved.slice(0, MOST_MOVED).map(({ jobId, name, startMs, insteadMs }) => (
        <p key={jobId} className="cut">
          <a href={hrefOf({ view: 'job', id: jobId })}>
            #{jobId} {visibleText(name)}
          </a>{' '}
          <span className="dim">
            {formatClock(startMs)} → {formatClock(insteadMs)}
          </span>
        </p>
      ))}
    </>
  );
}
