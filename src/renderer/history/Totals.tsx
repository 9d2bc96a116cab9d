import { NativeSelect } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { scriptOf } from '../../domain/script.ts';
import type { Energy } from '../../domain/usage.ts';
import { projectColour } from '../hue.ts';
import { locale, t } from '../i18n/t.ts';
import { useNow } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatEnergy } from '../text/formatEnergy.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './HistoryView.module.css';
import type { HistoryForm } from './historyFilter.ts';
import { type Total, totalOf, totalsBy } from './historyTotals.ts';

const SHOWN = 8;

/** What was found took, by project and by user; a click narrows the search to one. */
export function Totals(props: {
  jobs: readonly JobView[];
  energy: ReadonlyMap<number, Energy>;
  onPick(part: Partial<HistoryForm>): void;
}) {
  const { jobs, energy, onPick } = props;
  // By the minute: ten thousand jobs are not added up every second.
  const nowMs = Math.floor(useNow() / 60_000) * 60_000;
  const [all, projects, users] = useMemo(
    () => [
      totalOf('all', jobs, nowMs, energy),
      totalsBy(jobs, (job) => job.project, nowMs, energy),
      totalsBy(jobs, (job) => job.user, nowMs, energy),
    ],
    [jobs, nowMs, energy],
  );
  const [also, setAlso] = useState<GroupBy>('command');
  const others = useMemo(
    () => totalsBy(jobs, GROUPS[also].nameOf, nowMs, energy),
    [jobs, also, nowMs, energy],
  );
  return (
    <div className={classes.totals}>
      <dl className={classes.figures}>
        <Figure name={t('GPU-hours')} value={hours(all.gpuHours)} />
        <Figure
          name={t('Energy')}
          value={all.joules === null ? '–' : formatEnergy(all.joules)}
          why={
            all.joules === null
              ? t('the power of these GPUs was not measured')
              : t('what GPUs drew while these jobs had them; measured for {{share}} of the GPU-hours', {
                  share: Math.min(
                    1,
                    all.gpuHours > 0 ? all.measuredGpuHours / all.gpuHours : 1,
                  ).toLocaleString(locale, { style: 'percent' }),
                })
          }
        />
        <Figure
          name={t('Ended badly')}
          value={all.over === 0 ? '–' : `${all.failed} of ${all.over}`}
          why={t('failed, timed out or lost, of those that are over')}
        />
        <Figure
          name={t('Median wait')}
          value={all.medianWaitS === null ? '–' : formatDuration(all.medianWaitS * 1000)}
          why={t('from submission to the first start, of those that were started once')}
        />
      </dl>
      <Shares title={t('By project')} totals={projects} coloured onPick={(project) => onPick({ project })} />
      <Shares title={t('By user')} totals={users} onPick={(user) => onPick({ user })} />
      <div>
        <NativeSelect
          size="xs"
          aria-label={t('Also by')}
          data={Object.entries(GROUPS).map(([value, { label }]) => ({ value, label }))}
          value={also}
          onChange={({ currentTarget }) => setAlso(currentTarget.value as GroupBy)}
        />
        <Shares
          title={GROUPS[also].label}
          hidden
          totals={others}
          onPick={(name) => {
            const part = GROUPS[also].pick(name);
            if (part !== null) onPick(part);
          }}
        />
      </div>
    </div>
  );
}

/** What else jobs are told apart by. `pick`: what narrows the search to one; null: nothing does. */
const GROUPS = {
  command: {
    label: t('By command'),
    nameOf: (job: JobView) => scriptOf(job.command),
    pick: (name: string) => ({ text: name.split(' ').at(-1)! }),
  },
  status: {
    label: t('By status'),
    nameOf: (job: JobView) => job.status as string,
    pick: (status: string) => ({ status: [status] }),
  },
  cause: {
    label: t('By cause of death'),
    nameOf: (job: JobView) => job.diagnosis?.code ?? '–',
    pick: (cause: string) => (cause === '–' ? null : { cause: [cause] }),
  },
  day: {
    label: t('By day'),
    nameOf: (job: JobView) => new Date(job.startedAtMs ?? job.submittedAtMs).toLocaleDateString('sv'),
    pick: (day: string) => ({ from: day, to: day }),
  },
} as const;
type GroupBy = keyof typeof GROUPS;

function Figure({ name, value, why }: { name: string; value: string; why?: string }) {
  return (
    <div title={why}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Shares(props: {
  title: string;
  totals: readonly Total[];
  coloured?: boolean;
  /** True: its title is told by something above it. */
  hidden?: boolean;
  onPick(name: string): void;
}) {
  const { title, totals, coloured = false, hidden = false, onPick } = props;
  const most = Math.max(...totals.map(({ gpuHours }) => gpuHours), Number.MIN_VALUE);
  return (
    <section className={classes.shares} aria-label={title}>
      {!hidden && <h2 className={classes.title}>{title}</h2>}
      <ul>
        {totals.slice(0, SHOWN).map(({ name, gpuHours, joules, jobs }) => (
          <li key={name}>
            <button
              type="button"
              onClick={() => onPick(name)}
              title={t('Only {{name}}', { name: visibleText(name) })}
            >
              <span className="cut">{visibleText(name)}</span>
              <span className={classes.bar} aria-hidden="true">
                <i
                  style={{
                    width: `${(gpuHours / most) * 100}%`,
                    ...(coloured && { background: projectColour(name) }),
                  }}
                />
              </span>
              <span className={`${classes.amount} words`}>
                {hours(gpuHours)} {t('GPU-h ·')} {joules !== null && `${formatEnergy(joules)} · `}
                {jobs.toLocaleString(locale)} {jobs === 1 ? t('job') : t('jobs')}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {totals.length > SHOWN && (
        <p className="dim">
          {t('and')} {totals.length - SHOWN} {t('more')}
        </p>
      )}
    </section>
  );
}

const hours = (value: number): string =>
  value.toLocaleString(locale, { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
