import { Button, CopyButton } from '@mantine/core';
import { type PointerEvent, useMemo, useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { locale, t } from '../i18n/t.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatExact } from '../text/formatTime.ts';
import {
  type Distribution,
  distributionOf,
  gpusOverTime,
  hoursInUse,
  slowdownsOf,
  spanOf,
  waitsOf,
} from './jobPatterns.ts';
import classes from './Patterns.module.css';

const PARTS = 96;
const MINUTE_S = 60;
const WAIT_EDGES = [10, MINUTE_S, 10 * MINUTE_S, 3600, 6 * 3600, 24 * 3600];
const SLOWDOWN_EDGES = [1.1, 1.5, 2, 5, 10, 100];

/** When devices were in use, and how long jobs waited for it. A stretch that is drawn over narrows the search to it. */
export function Patterns(props: {
  jobs: readonly JobView[];
  onPick(part: { from: string; to: string }): void;
}) {
  const { jobs, onPick } = props;
  // By the minute: ten thousand jobs are not added up every second.
  const nowMs = Math.floor(useNow() / 60_000) * 60_000;
  const span = useMemo(() => spanOf(jobs, nowMs), [jobs, nowMs]);
  const waits = useMemo(() => distributionOf(waitsOf(jobs), WAIT_EDGES), [jobs]);
  const slowdowns = useMemo(() => distributionOf(slowdownsOf(jobs), SLOWDOWN_EDGES), [jobs]);
  if (span === null) return null;
  return (
    <div className={classes.patterns}>
      <OverTime jobs={jobs} span={span} nowMs={nowMs} onPick={onPick} />
      <HeatMap jobs={jobs} nowMs={nowMs} />
      <Bars
        title={t('How long they waited')}
        of={waits}
        text={(seconds) => formatDuration(seconds * 1000)}
        about={t('from submission to the first start, of those that were started once')}
      />
      <Bars
        title={t('Slowdown')}
        of={slowdowns}
        text={(value) => value.toLocaleString(locale, { maximumFractionDigits: 1 })}
        about={t('time in the system over time of running; 1: it did not wait')}
      />
    </div>
  );
}

type Span = { readonly fromMs: number; readonly toMs: number };

function OverTime(props: {
  jobs: readonly JobView[];
  span: Span;
  nowMs: number;
  onPick(part: { from: string; to: string }): void;
}) {
  const { jobs, span, nowMs, onPick } = props;
  const parts = useMemo(() => gpusOverTime(jobs, span, nowMs, PARTS), [jobs, span, nowMs]);
  const most = Math.max(...parts, Number.MIN_VALUE);
  /** Where a stretch was begun and has got to, 0 to 1. */
  const [drawn, setDrawn] = useState<readonly [number, number] | null>(null);
  const placeOf = (event: PointerEvent<HTMLDivElement>): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width));
  };
  const momentAt = (place: number): number => Math.round(span.fromMs + place * (span.toMs - span.fromMs));
  const done = (): void => {
    setDrawn(null);
    if (drawn === null) return;
    const [from, to] = [...drawn].sort((a, b) => a - b) as [number, number];
    // A click is no stretch.
    if (to - from >= 0.01) onPick({ from: String(momentAt(from)), to: String(momentAt(to)) });
  };
  const [left, right] = drawn === null ? [0, 0] : [Math.min(...drawn), Math.max(...drawn)];
  const range = `--from "${clock(span.fromMs)}" --to "${clock(span.toMs)}"`;
  return (
    <section className={classes.time} aria-label={t('GPUs in use over time')}>
      <h2 className={classes.title}>
        {t('GPUs in use over time')}{' '}
        <span className="dim">
          {t('at most {{n}}; draw over a stretch to see only its jobs', {
            n: most.toLocaleString(locale, { maximumFractionDigits: 1 }),
          })}
        </span>
      </h2>
      <div
        className={classes.brush}
        role="img"
        aria-label={t('at most {{n}} GPUs at once between {{from}} and {{to}}', {
          from: formatExact(span.fromMs),
          to: formatExact(span.toMs),
          n: most.toLocaleString(locale, { maximumFractionDigits: 1 }),
        })}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const place = placeOf(event);
          setDrawn([place, place]);
        }}
        onPointerMove={(event) => {
          if (drawn !== null) setDrawn([drawn[0], placeOf(event)]);
        }}
        onPointerUp={done}
        onPointerCancel={() => setDrawn(null)}
      >
        {parts.map((gpus, part) => (
          <i
            // biome-ignore lint/suspicious/noArrayIndexKey: a part is its place.
            key={part}
            style={{ height: `${(gpus / most) * 100}%` }}
          />
        ))}
        {drawn !== null && (
          <b style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }} aria-hidden="true" />
        )}
      </div>
      <p className={classes.ends}>
        <span>{formatExact(span.fromMs)}</span>
        <CopyButton value={`stint replay ${range}`}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="subtle" onClick={copy} title={`stint replay ${range}`}>
              {copied
                ? t('Copied: paste it into a shell')
                : t('Copy the command that replays it under other policies')}
            </Button>
          )}
        </CopyButton>
        <span>{formatExact(span.toMs)}</span>
      </p>
    </section>
  );
}

/** As the command line reads a moment. */
function clock(unixMs: number): string {
  const at = new Date(unixMs - new Date(unixMs).getTimezoneOffset() * 60_000).toISOString();
  return `${at.slice(0, 10)} ${at.slice(11, 16)}`;
}

function HeatMap({ jobs, nowMs }: { jobs: readonly JobView[]; nowMs: number }) {
  const devices = useMachine((machine) => machine.devices);
  const rows = useMemo(() => hoursInUse(jobs, nowMs, (atMs) => new Date(atMs).getHours()), [jobs, nowMs]);
  const named = rows
    .map(({ deviceId, shares }) => {
      const device = devices.find(({ id }) => id === deviceId);
      return { deviceId, shares, index: device?.index ?? Number.MAX_SAFE_INTEGER };
    })
    .sort((a, b) => a.index - b.index);
  if (named.length === 0) return null;
  const percent = (share: number): string => share.toLocaleString(locale, { style: 'percent' });
  return (
    <section className={classes.heat} aria-label={t('Use by hour and GPU')}>
      <h2 className={classes.title}>
        {t('Use by hour and GPU')} <span className="dim">{t('how much of that hour jobs held it')}</span>
      </h2>
      <table>
        <tbody>
          {named.map(({ deviceId, shares, index }) => (
            <tr key={deviceId}>
              <th scope="row">{index === Number.MAX_SAFE_INTEGER ? t('gone') : `GPU ${index}`}</th>
              {shares.map((share, hour) => (
                <td
                  // biome-ignore lint/suspicious/noArrayIndexKey: an hour is its place.
                  key={hour}
                  title={`${hour}–${hour + 1} h: ${percent(share)}`}
                  aria-label={`${hour} h: ${percent(share)}`}
                >
                  <i style={{ opacity: share }} />
                </td>
              ))}
            </tr>
          ))}
          <tr>
            <td className={classes.hour} />
            {Array.from({ length: 24 }, (_, hour) => (
              <td
                // biome-ignore lint/suspicious/noArrayIndexKey: an hour is its place.
                key={hour}
                className={classes.hour}
              >
                {hour % 3 === 0 ? hour : ''}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Bars(props: { title: string; about: string; of: Distribution | null; text(value: number): string }) {
  const { title, about, of, text } = props;
  if (of === null) return null;
  const most = Math.max(...of.counts);
  return (
    <section className={classes.bars} aria-label={title} title={about}>
      <h2 className={classes.title}>
        {title}{' '}
        <span className="dim">
          {t('half up to {{p50}}, nine tenths up to {{p90}}', { p50: text(of.p50), p90: text(of.p90) })}
        </span>
      </h2>
      <dl>
        {of.counts.map((count, at) => {
          const edge = of.edges[at];
          return (
            <div key={edge ?? 'more'}>
              <dt>
                {edge === undefined
                  ? t('more than {{edge}}', { edge: text(of.edges.at(-1)!) })
                  : t('up to {{edge}}', { edge: text(edge) })}
              </dt>
              <dd>
                <i style={{ width: `${(count / most) * 100}%` }} />
                {count.toLocaleString(locale)}
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}
