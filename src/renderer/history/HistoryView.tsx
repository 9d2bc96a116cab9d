import { Button, MultiSelect, TextInput } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { DIAGNOSIS_CODES } from '../../domain/diagnosis.ts';
import { JOB_STATUSES } from '../../domain/job.ts';
import { locale, t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { useKeys } from '../shell/useKeys.ts';
import { useMachine } from '../store/store.ts';
import { offsetMinAt } from '../text/offsetMinAt.ts';
import { statusWord } from '../text/statusWord.ts';
import { visibleText } from '../text/visibleText.ts';
import { csvOf, saveFile } from './exportJobs.ts';
import { HistoryTable } from './HistoryTable.tsx';
import classes from './HistoryView.module.css';
import { formOfQuery, type HistoryForm, queryOfForm, readFilter } from './historyFilter.ts';
import { Patterns } from './Patterns.tsx';
import { ReplayPanel } from './ReplayPanel.tsx';
import { SavedSearches } from './SavedSearches.tsx';
import { Totals } from './Totals.tsx';
import { MOST_FOUND, useHistory } from './useHistory.ts';

/** Every job there ever was, and what they took: found by what is known of them. The search is in the address. */
export function HistoryView({ query }: { query: string }) {
  const [form, setForm] = useState<HistoryForm>(() => formOfQuery(query));
  const [since] = useState(() => Date.now());
  const offsetMs = useMachine((machine) => machine.clockOffsetMs);
  const { filter, problems } = useMemo(
    () => readFilter(form, { nowMs: since + offsetMs, offsetMinAt }),
    [form, since, offsetMs],
  );
  const found = useHistory(Object.keys(problems).length > 0 ? null : filter);
  const change = (part: Partial<HistoryForm>): void => {
    const next = { ...form, ...part };
    setForm(next);
    // Not another step of the browser's history for every letter.
    history.replaceState(null, '', hrefOf({ view: 'history', query: queryOfForm(next) }));
  };
  useKeys({ '/': () => document.querySelector<HTMLElement>('[name="text"]')?.focus() });
  const field = (
    name: 'text' | 'user' | 'project' | 'tag' | 'by' | 'from' | 'to',
    label: string,
    placeholder: string,
  ) => (
    <TextInput
      size="xs"
      name={name}
      label={label}
      placeholder={placeholder}
      value={form[name]}
      error={problems[name]}
      onChange={({ currentTarget }) => change({ [name]: currentTarget.value })}
    />
  );
  const several = (name: 'status' | 'cause', label: string, data: { value: string; label: string }[]) => (
    <MultiSelect
      size="xs"
      label={label}
      placeholder={form[name].length === 0 ? t('any') : ''}
      data={data}
      value={[...form[name]]}
      onChange={(chosen) => change({ [name]: chosen })}
      comboboxProps={{ transitionProps: { duration: 0 } }}
      clearable
      clearButtonProps={{ 'aria-label': t('Any {{label}}', { label: label.toLowerCase() }) }}
      searchable
    />
  );
  const save = (kind: 'csv' | 'json'): void => {
    if (kind === 'csv') saveFile('jobs.csv', 'text/csv', csvOf(found.jobs, found.energy));
    else saveFile('jobs.json', 'application/json', `${JSON.stringify(found.jobs, null, 2)}\n`);
  };
  const nowMs = since + offsetMs;
  const stretch = useMemo(() => {
    const arrivals = found.jobs.map(({ submittedAtMs }) => submittedAtMs);
    return {
      fromMs: filter.fromMs ?? arrivals.reduce((first, atMs) => Math.min(first, atMs), nowMs),
      toMs: filter.toMs ?? arrivals.reduce((last, atMs) => Math.max(last, atMs + 1), nowMs),
    };
  }, [found.jobs, filter, nowMs]);
  const count = found.jobs.length.toLocaleString(locale);
  return (
    <div className={classes.page}>
      <search className={classes.filters} aria-label={t('Which jobs')}>
        {field('text', t('Name or command'), 'resnet')}
        {several(
          'status',
          t('Status'),
          JOB_STATUSES.map((status) => ({ value: status, label: statusWord(status) })),
        )}
        {field('user', t('Users'), t('ana, mei'))}
        {field('project', t('Projects'), 'vision')}
        {field('tag', t('Tags'), 'baseline, v2')}
        {field('by', t('Submitted by'), t('person, ci, agent claude-code'))}
        {several(
          'cause',
          t('Cause of death'),
          DIAGNOSIS_CODES.map((code) => ({ value: code, label: code })),
        )}
        {field('from', t('From'), t('7d, yesterday, 2026-11-20'))}
        {field('to', t('To'), t('now'))}
      </search>
      <SavedSearches
        query={queryOfForm(form)}
        onPick={(asked) => {
          setForm(formOfQuery(asked));
          history.replaceState(null, '', hrefOf({ view: 'history', query: asked }));
        }}
      />
      <div className={classes.found}>
        <span role="status">
          <b>{found.more ? t('the latest {{n}}', { n: count }) : count}</b>{' '}
          {found.jobs.length === 1 ? t('job') : t('jobs')}
          {found.reading && t(', reading on …')}
          {found.more &&
            t(' of more than {{a}}: narrow the search to see the rest', {
              a: MOST_FOUND.toLocaleString(locale),
            })}
        </span>
        {(['csv', 'json'] as const).map((kind) => (
          <Button
            key={kind}
            size="compact-sm"
            variant="default"
            leftSection={<IconDownload size={14} />}
            disabled={found.jobs.length === 0 || found.reading}
            onClick={() => save(kind)}
          >
            {kind.toUpperCase()}
          </Button>
        ))}
      </div>
      {found.trouble !== null && (
        <p className="trouble" role="alert">
          {visibleText(found.trouble)}
        </p>
      )}
      {found.jobs.length === 0 ? (
        !found.reading && <p className="dim">{t('No job is like that. Take something out of the search.')}</p>
      ) : (
        <>
          <Totals jobs={found.jobs} energy={found.energy} onPick={change} />
          <Patterns jobs={found.jobs} onPick={change} />
          <HistoryTable jobs={found.jobs} energy={found.energy} />
          <ReplayPanel {...stretch} />
        </>
      )}
    </div>
  );
}
