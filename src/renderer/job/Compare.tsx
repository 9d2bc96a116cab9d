import { MultiSelect } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { LineChart } from '../plot/LineChart.tsx';
import { hrefOf } from '../route.ts';
import { useNow, useStint } from '../store/store.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './Compare.module.css';
import { differences, overlaid } from './compareJobs.ts';
import jobClasses from './JobPage.module.css';

/** More lines in a chart nobody tells apart. */
const MOST = 4;
const OFFERED = 100;
const AGAIN_MS = 5000;

type Told = { readonly job: JobView } & Awaited<ReturnType<ReturnType<typeof client>['jobs']['metrics']>>;

/** The job beside up to four others of its project: their curves in one chart, and in what they differ. */
export function Compare({ job }: { job: JobView }) {
  const [others, setOthers] = useState<readonly JobView[]>([]);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [trouble, setTrouble] = useState<string | null>(null);
  const live = useStint((state) => state.phase === 'live');
  const told = useTold([job.id, ...chosen.map(Number)], live && chosen.length > 0, setTrouble);
  const nowMs = Math.floor(useNow() / 10_000) * 10_000;
  const charts = useMemo(() => overlaid(told.map(({ job: { id }, series }) => ({ id, series }))), [told]);
  const rows = differences(
    told.map((one) => one.job),
    nowMs,
  );
  const offer = (): void => {
    client()
      .jobs.search({ projects: [job.project], limit: OFFERED })
      .then(
        ({ jobs }) => setOthers(jobs.filter(({ id, startedAtMs }) => id !== job.id && startedAtMs !== null)),
        (error: unknown) => setTrouble(troubleText(error)),
      );
  };

  return (
    <section aria-label={t('Compared with others')}>
      <h2 className={jobClasses.title}>{t('Compared with others')}</h2>
      <MultiSelect
        size="xs"
        aria-label={t('Jobs to compare it with')}
        placeholder={chosen.length === 0 ? t('Choose up to four of its project') : ''}
        data={others.map(({ id, name }) => ({ value: String(id), label: `#${id} ${visibleText(name)}` }))}
        value={[...chosen]}
        maxValues={MOST}
        searchable
        onDropdownOpen={offer}
        nothingFoundMessage={t('No other job of this project was started')}
        comboboxProps={{ transitionProps: { duration: 0 } }}
        onChange={setChosen}
      />
      {trouble !== null && <p className="trouble">{visibleText(trouble)}</p>}
      {told.length > 1 && (
        <>
          {charts.map((chart) => (
            <LineChart key={`${chart.unit} ${chart.name}`} chart={chart} />
          ))}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
          <section className={classes.scroll} tabIndex={0} aria-label={t('In what they differ')}>
            <table className={classes.table}>
              <thead>
                <tr>
                  <td />
                  {told.map(({ job: { id } }) => (
                    <th key={id} scope="col">
                      {id === job.id ? `#${id}` : <a href={hrefOf({ view: 'job', id })}>#{id}</a>}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map(({ name, values }) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    {values.map((value, at) => (
                      <td key={told[at]!.job.id}>{visibleText(value) || '–'}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </section>
  );
}

/** The jobs and what they report, in that order; read again while one of them runs. */
function useTold(
  ids: readonly number[],
  wanted: boolean,
  onTrouble: (trouble: string | null) => void,
): readonly Told[] {
  const [told, setTold] = useState<readonly Told[]>([]);
  const asked = wanted ? ids.join() : '';
  useEffect(() => {
    if (asked === '') {
      setTold([]);
      return;
    }
    let left = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      try {
        const all = await Promise.all(
          asked.split(',').map(async (id) => {
            const of = { id: Number(id) };
            const [job, metrics] = await Promise.all([client().jobs.get(of), client().jobs.metrics(of)]);
            return { job, ...metrics };
          }),
        );
        if (left) return;
        setTold(all);
        onTrouble(null);
        const goesOn = all.some(({ job, complete }) => !complete || !isTerminal(job.status));
        if (goesOn) timer = setTimeout(() => void read(), AGAIN_MS);
      } catch (error) {
        if (!left) onTrouble(troubleText(error));
      }
    };
    void read();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [asked, onTrouble]);
  return told;
}
