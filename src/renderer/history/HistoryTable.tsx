import { Button } from '@mantine/core';
import { useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { gpuNeedText } from '../../domain/gpuNeed.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import type { Energy } from '../../domain/usage.ts';
import { openMore } from '../control/moreStore.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { ProjectBar } from '../shell/ProjectBar.tsx';
import { StatusMark } from '../shell/StatusMark.tsx';
import { useNow } from '../store/store.ts';
import { formatEnergy } from '../text/formatEnergy.ts';
import { formatElapsed, formatExact, formatMoment } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './HistoryView.module.css';

const PAGE = 100;

/** The jobs that were found, in the order of the queue and then by their end. */
export function HistoryTable(props: { jobs: readonly JobView[]; energy: ReadonlyMap<number, Energy> }) {
  const { jobs, energy } = props;
  const nowMs = useNow();
  const [shown, setShown] = useState(PAGE);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <section className={classes.scroll} tabIndex={0} aria-label={t('Jobs that were found')}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th>{t('Job')}</th>
              <th>{t('Name')}</th>
              <th>{t('Status')}</th>
              <th>{t('Why')}</th>
              <th>{t('GPUs')}</th>
              <th>{t('Submitted')}</th>
              <th>{t('Ran')}</th>
              {energy.size > 0 && <th>{t('Energy')}</th>}
              <th>{t('Ended')}</th>
            </tr>
          </thead>
          <tbody>
            {jobs.slice(0, shown).map((job) => (
              <tr
                key={job.id}
                data-found={job.id}
                onContextMenu={(event) => {
                  event.preventDefault();
                  openMore(
                    { title: `#${job.id} ${visibleText(job.name)}`, ids: [job.id], arrayId: undefined },
                    { x: event.clientX, y: event.clientY },
                  );
                }}
              >
                <td>
                  <span className={classes.id}>
                    <ProjectBar project={job.project} />#{job.id}
                  </span>
                </td>
                <td className={classes.wide}>
                  <a className="words" href={hrefOf({ view: 'job', id: job.id })}>
                    {visibleText(job.name)}
                  </a>{' '}
                  <span className="dim">
                    {[job.project, job.user, ...job.tags].map((one) => visibleText(one)).join(' · ')}
                  </span>
                </td>
                <td>
                  <StatusMark status={job.status} />
                </td>
                <td className={classes.wide} title={engineText(job.diagnosis?.remedy ?? '')}>
                  {engineText(visibleText(job.diagnosis?.summary ?? job.cause ?? job.waitingReason ?? ''))}
                </td>
                <td>{gpuNeedText(job)}</td>
                <td title={formatExact(job.submittedAtMs)}>{formatMoment(job.submittedAtMs, nowMs)}</td>
                <td>{job.startedAtMs === null ? '–' : formatElapsed(runSeconds(job, nowMs))}</td>
                {energy.size > 0 && (
                  <td>{energy.has(job.id) ? formatEnergy(energy.get(job.id)!.joules) : '–'}</td>
                )}
                <td title={job.finishedAtMs === null ? undefined : formatExact(job.finishedAtMs)}>
                  {job.finishedAtMs === null ? '–' : formatMoment(job.finishedAtMs, nowMs)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {jobs.length > shown && (
        <Button
          size="compact-sm"
          variant="default"
          style={{ justifySelf: 'start' }}
          onClick={() => setShown((count) => count + 5 * PAGE)}
        >
          {t('Show')} {Math.min(5 * PAGE, jobs.length - shown)} {t('more')}
        </Button>
      )}
    </>
  );
}
