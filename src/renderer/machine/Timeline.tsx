import { SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Allocation } from '../../contract/messages.ts';
import { isTerminal, runSeconds } from '../../domain/job.ts';
import { formatDuration } from '../../domain/units.ts';
import { projectColour } from '../hue.ts';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatClock, formatClockSeconds } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './Timeline.module.css';
import { expectedEndMs, layOutTracks, type Stretch, ticksOf } from './timelineLayout.ts';

const MINUTE_MS = 60_000;
/** How far each choice looks back; a sixth of the width lies ahead of now. */
const SPANS = { '3 min': 3 * MINUTE_MS, '10 min': 10 * MINUTE_MS, '1 h': 60 * MINUTE_MS } as const;
type Span = keyof typeof SPANS;
const LANE_PX = 28;

/** Devices are tracks, time runs left to right: solid ran, hatched is expected from progress, the line is now. */
export function Timeline() {
  const nowMs = useNow();
  const devices = useMachine((machine) => machine.devices);
  const allocations = useMachine((machine) => machine.allocations);
  const [span, setSpan] = useState<Span>(() => shortestSpan(allocations, nowMs));
  const [shown, setShown] = useState<Stretch | null>(null);
  const pastMs = SPANS[span];
  const window = { fromMs: nowMs - pastMs, toMs: nowMs + pastMs / 5 };
  const length = window.toMs - window.fromMs;
  const ids = useMemo(
    () => [...devices].sort((a, b) => a.index - b.index).map((device) => device.id),
    [devices],
  );
  const tracks = layOutTracks(allocations, ids, window, nowMs);
  /** Neither under the sign that says now nor over the edge. */
  const isClear = (at: number) => Math.abs(at - nowMs) > length * 0.045 && at < window.toMs - length * 0.015;
  const nowAt = `${((nowMs - window.fromMs) / length) * 100}%`;
  return (
    <section className={classes.timeline} aria-label={t('Timeline of allocations')}>
      <div className={classes.top}>
        <h2 className={classes.title}>{t('Timeline')}</h2>
        <p className={classes.readout}>
          {shown === null ? (
            <span className="dim">
              {t('Solid: ran. Hatched: expected from its progress. Point at a stretch to read it.')}
            </span>
          ) : (
            <Readout allocation={shown.allocation} nowMs={nowMs} />
          )}
        </p>
        <SegmentedControl
          size="xs"
          value={span}
          onChange={(value) => setSpan(value as Span)}
          data={Object.keys(SPANS)}
          transitionDuration={0}
          aria-label={t('How far back')}
        />
      </div>
      <div className={classes.body}>
        <div className={classes.labels}>
          {tracks.map((track) => (
            <div key={track.deviceId} className={classes.label} style={{ height: track.lanes * LANE_PX + 8 }}>
              {t('GPU')} {devices.find((device) => device.id === track.deviceId)?.index}
            </div>
          ))}
        </div>
        <div className={classes.area}>
          {ticksOf(window, 9).map((at) => (
            <div
              key={at}
              className={classes.tick}
              style={{ left: `${((at - window.fromMs) / length) * 100}%` }}
            >
              {isClear(at) && <span>{at % MINUTE_MS === 0 ? formatClock(at) : formatClockSeconds(at)}</span>}
            </div>
          ))}
          {tracks.map((track) => (
            <div key={track.deviceId} className={classes.track} style={{ height: track.lanes * LANE_PX + 8 }}>
              {track.stretches.map((stretch) => (
                <Bar
                  key={`${stretch.allocation.jobId}-${stretch.allocation.startMs}`}
                  stretch={stretch}
                  nowMs={nowMs}
                  lengthMs={length}
                  onShow={setShown}
                />
              ))}
            </div>
          ))}
          <div className={classes.now} style={{ left: nowAt }}>
            <span>{t('now')}</span>
          </div>
        </div>
      </div>
    </section>
  );
}

/** The shortest span that shows all there is. */
function shortestSpan(allocations: readonly Allocation[], nowMs: number): Span {
  const earliest = Math.min(nowMs, ...allocations.map((allocation) => allocation.startMs));
  const names = Object.keys(SPANS) as Span[];
  return names.find((name) => earliest >= nowMs - SPANS[name]) ?? '1 h';
}

function Bar(props: {
  stretch: Stretch;
  nowMs: number;
  lengthMs: number;
  onShow(stretch: Stretch | null): void;
}) {
  const { stretch, nowMs, lengthMs, onShow } = props;
  const { allocation, from, to, lane } = stretch;
  const job = useMachine((machine) => machine.jobs.get(allocation.jobId));
  const colour = projectColour(allocation.project);
  const top = lane * LANE_PX + 4;
  const runs = allocation.endMs === null && job !== undefined && !isTerminal(job.status);
  const endMs =
    runs && job.status === 'running'
      ? expectedEndMs(runSeconds(job, nowMs), job.progress?.fraction ?? null, nowMs)
      : null;
  const ahead = endMs === null ? 0 : Math.min(1 - to, (endMs - nowMs) / lengthMs);
  const name = visibleText(allocation.name);
  return (
    <>
      <a
        href={hrefOf({ view: 'job', id: allocation.jobId })}
        className={classes.bar}
        data-cut={stretch.cut || undefined}
        style={
          {
            left: `${from * 100}%`,
            width: `${(to - from) * 100}%`,
            top,
            '--hue': colour,
          } as React.CSSProperties
        }
        aria-label={`#${allocation.jobId} ${name}, ${allocation.status}`}
        onMouseEnter={() => onShow(stretch)}
        onMouseLeave={() => onShow(null)}
        onFocus={() => onShow(stretch)}
        onBlur={() => onShow(null)}
      >
        <span className={classes.tag}>
          #{allocation.jobId} {name}
        </span>
      </a>
      {ahead > 0 && (
        <span
          className={classes.ahead}
          style={
            { left: `${to * 100}%`, width: `${ahead * 100}%`, top, '--hue': colour } as React.CSSProperties
          }
          aria-hidden="true"
        />
      )}
    </>
  );
}

function Readout({ allocation, nowMs }: { allocation: Allocation; nowMs: number }) {
  const { startMs, endMs } = allocation;
  return (
    <span className="cut">
      <b>
        #{allocation.jobId} {visibleText(allocation.name)}
      </b>{' '}
      · {visibleText(allocation.project)} · {visibleText(allocation.user)} · {allocation.status} ·{' '}
      {formatClockSeconds(startMs)} {t('to')} {endMs === null ? 'now' : formatClockSeconds(endMs)} (
      {formatDuration((endMs ?? nowMs) - startMs)})
    </span>
  );
}
