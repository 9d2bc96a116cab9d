import { SegmentedControl } from '@mantine/core';
import { useCallback, useMemo, useState } from 'react';
import { formatMib } from '../../domain/units.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { Board } from '../queue/Board.tsx';
import { QueueDrag } from '../queue/QueueDrag.tsx';
import { hrefOf } from '../route.ts';
import { useForecast } from '../store/forecast.ts';
import { SAMPLE_WINDOW_MS } from '../store/state.ts';
import { store, useClock, useMachine, useNow } from '../store/store.ts';
import { inOurWords } from '../text/formatDuration.ts';
import { formatClock, formatClockSeconds, formatMoment } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import { Lane } from './Lane.tsx';
import { SpanText } from './LaneTrack.tsx';
import classes from './NowView.module.css';
import { Sparkline } from './Sparkline.tsx';
import { layOutTracks, type Span, spansOf, ticksOf } from './timelineLayout.ts';

const MINUTE_MS = 60_000;
/** How far each choice looks back, and as far ahead. */
const REACH = {
  '3 min': 3 * MINUTE_MS,
  '10 min': 10 * MINUTE_MS,
  '1 h': 60 * MINUTE_MS,
  '6 h': 360 * MINUTE_MS,
} as const;
type Reach = keyof typeof REACH;
/** So many steps at most across all of it: the tracks are not drawn again for what is less than a pixel. */
const STEPS = 2000;

/** How things stand: a lane per device with its track from the past into what is expected, and beside it the queue. */
export function NowView({ onSubmit }: { onSubmit(): void }) {
  const devices = useMachine((machine) => machine.devices);
  const past = useMachine((machine) => machine.past);
  return (
    <QueueDrag free>
      <div className={classes.page}>
        <div className={classes.tracks}>
          {/* How far it looks back is chosen by what there is to see. */}
          {devices.length === 0 ? <NoDevices /> : <Lanes key={String(past)} />}
          <HostStrip />
          <Lately />
        </div>
        <aside className={classes.queue} aria-label={t('Queue')}>
          <Board narrow onSubmit={onSubmit} />
        </aside>
      </div>
    </QueueDrag>
  );
}

function Lanes() {
  const devices = useMachine((machine) => machine.devices);
  const allocations = useMachine((machine) => machine.allocations);
  const forecast = useForecast();
  const jobs = useMachine((machine) => machine.jobs);
  const [reach, setReach] = useState<Reach>(() => {
    const { clockOffsetMs } = store.get().machine!;
    const now = Date.now() + clockOffsetMs;
    const earliest = Math.min(now, ...allocations.map(({ startMs }) => startMs));
    const names = Object.keys(REACH) as Reach[];
    return names.find((name) => earliest >= now - REACH[name]) ?? '1 h';
  });
  const stepMs = Math.max(1000, (2 * REACH[reach]) / STEPS);
  const nowMs = useClock((now) => now - (now % stepMs));
  const [shown, setShown] = useState<Span | null>(null);
  const show = useCallback((span: Span | null) => setShown(span), []);
  const inOrder = useMemo(() => [...devices].sort((a, b) => a.index - b.index), [devices]);
  const ids = inOrder.map(({ id }) => id).join('\n');
  const spans = useMemo(() => spansOf(allocations, jobs, forecast), [allocations, jobs, forecast]);
  const view = useMemo(() => {
    const window = { fromMs: nowMs - REACH[reach], toMs: nowMs + REACH[reach] };
    const length = window.toMs - window.fromMs;
    const ticks = ticksOf(window, 9).map((atMs) => ({ atMs, at: (atMs - window.fromMs) / length }));
    return {
      tracks: layOutTracks(spans, ids.split('\n'), window, nowMs),
      ticks,
      places: ticks.map(({ at }) => at),
    };
  }, [spans, ids, reach, nowMs]);
  return (
    <section aria-label={t('Timeline of allocations')}>
      <div className={classes.top}>
        <p className={classes.readout}>
          {shown === null ? (
            <span className="dim cut">
              {t('Solid: ran. Hatched: expected. Point at a stretch to read it; drag a job onto a GPU.')}
            </span>
          ) : (
            <SpanText span={shown} nowMs={nowMs} />
          )}
        </p>
        <SegmentedControl
          size="xs"
          value={reach}
          onChange={(value) => setReach(value as Reach)}
          data={Object.keys(REACH).map((value) => ({ value, label: inOurWords(value) }))}
          transitionDuration={0}
          aria-label={t('How far back and ahead')}
        />
      </div>
      <div className={classes.axis}>
        <div>
          {view.ticks
            // Neither under the sign that says now nor over the edge.
            .filter(({ at }) => Math.abs(at - 0.5) > 0.05 && at > 0.03 && at < 0.97)
            .map(({ atMs, at }) => (
              <span key={atMs} style={{ left: `${100 * at}%` }}>
                {atMs % MINUTE_MS === 0 ? formatClock(atMs) : formatClockSeconds(atMs)}
              </span>
            ))}
          <b>{t('now')}</b>
        </div>
      </div>
      {inOrder.map((device, index) => (
        <Lane
          key={device.id}
          device={device}
          track={view.tracks[index]!}
          ticks={view.places}
          nowAt={0.5}
          onShow={show}
        />
      ))}
    </section>
  );
}

function NoDevices() {
  const note = useMachine((machine) => machine.system.probeNote);
  return (
    <section className={classes.none}>
      <h2>{t('No GPUs found')}</h2>
      <p>
        {t('Only CPU jobs (')}
        <code className="mono">--gpus 0</code>
        {t(') can start.')}{' '}
        {note === null
          ? t('To try Stint without a GPU, start it with --devices virtual:2.')
          : visibleText(note)}
      </p>
    </section>
  );
}

function HostStrip() {
  const system = useMachine((machine) => machine.system);
  const host = useMachine((machine) => machine.host);
  const samples = useMachine((machine) => machine.hostSamples);
  return (
    <section className={classes.host} aria-label={t('Host')}>
      <div className={classes.hostName}>
        <h2 className={classes.title}>{t('Host')}</h2>
        <span className="cut dim" title={visibleText(`${system.cpu}, ${system.os}`)}>
          {system.cpuCores} {t('cores ·')} {visibleText(system.cpu)}
        </span>
      </div>
      <div className={classes.figure}>
        <span className="dim">{t('CPU')}</span>
        <b>{host?.cpu == null ? t('unknown') : `${Math.round(host.cpu * 100)} %`}</b>
        <Sparkline
          label={t('CPU use over the last 10 min')}
          samples={samples}
          figure="cpu"
          top={1}
          spanMs={SAMPLE_WINDOW_MS}
        />
      </div>
      <div className={classes.figure}>
        <span className="dim">{t('Main memory')}</span>
        <span>
          <b>{host?.memoryUsedMib == null ? t('unknown') : formatMib(host.memoryUsedMib)}</b>{' '}
          <span className="dim">
            {t('of')} {formatMib(system.memoryMib)}
          </span>
        </span>
        <Sparkline
          label={t('Memory use over the last 10 min')}
          samples={samples}
          figure="memoryUsedMib"
          top={system.memoryMib}
          spanMs={SAMPLE_WINDOW_MS}
        />
      </div>
    </section>
  );
}

/** What was decided last, each with the way to why. */
function Lately() {
  const decisions = useMachine((machine) => machine.decisions);
  const nowMs = useNow();
  if (decisions.length === 0) return null;
  return (
    <section className={classes.lately} aria-label={t('Last decisions')}>
      <h2 className={classes.title}>{t('Last decisions')}</h2>
      <ol>
        {decisions.slice(0, 8).map(({ id, atMs, sentence }) => (
          <li key={id}>
            <time className="dim">{formatMoment(atMs, nowMs)}</time>
            <a
              href={hrefOf({ view: 'decision', id })}
              className="cut"
              title={engineText(visibleText(sentence))}
            >
              {engineText(visibleText(sentence))}
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}
