import { Button, MultiSelect, NumberInput, Progress } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { PastReplay, ReplayedPolicy } from '../../domain/pastReplay.ts';
import { POLICY_NAMES } from '../../domain/policyNames.ts';
import { client } from '../connection.ts';
import { engineText } from '../i18n/engineText.ts';
import { locale, t } from '../i18n/t.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatExact } from '../text/formatTime.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './ReplayPanel.module.css';

/** What other policies would have made of every job that arrived in a stretch of the record; asked for, not worked out unasked. */
export function ReplayPanel({ fromMs, toMs }: { fromMs: number; toMs: number }) {
  const [policies, setPolicies] = useState<string[]>([]);
  const [gpus, setGpus] = useState<number | ''>('');
  const [fraction, setFraction] = useState<number | null>(null);
  const [replay, setReplay] = useState<PastReplay | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const asked = useRef<AbortController | null>(null);
  useEffect(() => () => asked.current?.abort(), []);
  const stop = (): void => {
    asked.current?.abort();
    setFraction(null);
  };
  const start = async (): Promise<void> => {
    asked.current?.abort();
    const controller = new AbortController();
    asked.current = controller;
    const { signal } = controller;
    setTrouble(null);
    setReplay(null);
    setFraction(0);
    try {
      const question = {
        fromMs,
        toMs,
        ...(policies.length > 0 && { policies }),
        ...(gpus !== '' && { gpus }),
      };
      for await (const message of await client().history.replay(question, { signal })) {
        if (message.type === 'progress') setFraction(message.fraction);
        else setReplay(message.replay);
      }
    } catch (error) {
      if (!signal.aborted) setTrouble(troubleText(error));
    } finally {
      if (!signal.aborted) setFraction(null);
    }
  };
  return (
    <section className={classes.panel} aria-label={t('Replay under other policies')}>
      <h2>{t('Replay under other policies')}</h2>
      <p className="dim">
        {t('Every job that arrived between {{from}} and {{to}}, on simulated GPUs. Nothing is changed.', {
          from: formatExact(fromMs),
          to: formatExact(toMs),
        })}
      </p>
      <form
        className={classes.asked}
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <MultiSelect
          className={classes.policies}
          size="xs"
          label={t('Policies')}
          placeholder={policies.length === 0 ? t('all heuristics, and a bound that knows durations') : ''}
          data={[...POLICY_NAMES]}
          value={policies}
          onChange={setPolicies}
          comboboxProps={{ transitionProps: { duration: 0 } }}
          searchable
        />
        <NumberInput
          className={classes.gpus}
          size="xs"
          label={t('On so many GPUs')}
          placeholder={t('as there are')}
          min={1}
          max={64}
          allowDecimal={false}
          value={gpus}
          onChange={(value) => setGpus(typeof value === 'number' ? value : '')}
        />
        {fraction === null ? (
          <Button size="xs" type="submit">
            {t('Replay')}
          </Button>
        ) : (
          <Button size="xs" variant="default" onClick={stop}>
            {t('Stop the replay')}
          </Button>
        )}
      </form>
      {fraction !== null && (
        <Progress
          value={100 * fraction}
          size={4}
          color="var(--ink)"
          aria-label={t('Replaying the stretch')}
        />
      )}
      {trouble !== null && (
        <p className="trouble" role="alert">
          {visibleText(trouble)}
        </p>
      )}
      {replay !== null && <Rows replay={replay} />}
    </section>
  );
}

function Rows({ replay }: { replay: PastReplay }) {
  const { jobs, gpus, trust, limits } = replay;
  const rows = [
    ...replay.rows.filter(({ clairvoyant }) => !clairvoyant),
    ...replay.rows.filter(({ clairvoyant }) => clairvoyant),
  ];
  const best = rows
    .slice(1)
    .filter(({ clairvoyant }) => !clairvoyant)
    .reduce<ReplayedPolicy | null>(
      (least, row) => (least === null || row.meanCompletionS < least.meanCompletionS ? row : least),
      null,
    );
  return (
    <>
      <p>
        {t('{{jobs}} jobs on {{gpus}} GPUs.', { jobs: jobs.toLocaleString(locale), gpus })}{' '}
        {trust !== null &&
          t(
            'How far to trust it: what was really done, replayed, is {{change}} from what happened, and half of its starts within {{error}}.',
            {
              change: signed(trust.meanCompletionChange),
              error: formatDuration(1000 * trust.medianStartErrorS),
            },
          )}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <section className={classes.scroll} tabIndex={0} aria-label={t('What would have been')}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th>{t('Policy')}</th>
              <th>{t('Mean JCT')}</th>
              <th>±</th>
              <th>p99</th>
              <th>±</th>
              <th>{t('Slowdown')}</th>
              <th>{t('Longest wait')}</th>
              <th>{t('Use')}</th>
              <th>{t('Preempted')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={row.policy} data-best={row === best || undefined}>
                <th scope="row">
                  {at === 0 ? t('as it was') : row.policy}
                  {row.clairvoyant && <span className="dim"> {t('(knows durations)')}</span>}
                </th>
                <td>{time(row.meanCompletionS)}</td>
                <td>{at === 0 ? '' : signed(row.meanCompletionChange)}</td>
                <td>{time(row.p99CompletionS)}</td>
                <td>{at === 0 ? '' : signed(row.p99CompletionChange)}</td>
                <td>{row.meanSlowdown.toLocaleString(locale, { maximumFractionDigits: 2 })}</td>
                <td>{time(row.maxWaitS)}</td>
                <td>{row.utilisation.toLocaleString(locale, { style: 'percent' })}</td>
                <td>{row.preemptions.toLocaleString(locale)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="dim">{t('What a replay cannot know, and what this one assumes:')}</p>
      <ul className={classes.limits}>
        {limits.map((limit) => (
          <li key={limit}>{engineText(visibleText(limit))}</li>
        ))}
      </ul>
    </>
  );
}

const time = (seconds: number): string => formatDuration(1000 * seconds);

/** `-18 %`, `+0.4 %`; `?` where there is nothing to compare with. */
const signed = (change: number | null): string =>
  change === null
    ? '?'
    : change.toLocaleString(locale, {
        style: 'percent',
        signDisplay: 'exceptZero',
        maximumFractionDigits: Math.abs(change) < 0.1 ? 1 : 0,
      });
