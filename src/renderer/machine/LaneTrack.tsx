import { memo } from 'react';
import { openMore } from '../control/moreStore.ts';
import { projectColour } from '../hue.ts';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { useMachine } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatClock, formatClockSeconds } from '../text/formatTime.ts';
import { statusWord } from '../text/statusWord.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './LaneTrack.module.css';
import type { Span, Stretch, Track } from './timelineLayout.ts';

const LANE_PX = 26;
const percent = (share: number): string => `${100 * share}%`;
/** Into the window. */
const clip = (share: number): number => Math.max(0, Math.min(1, share));

export interface LaneTrackProps {
  readonly track: Track;
  /** Round times, and now, as shares of the window. */
  readonly ticks: readonly number[];
  readonly nowAt: number;
  onShow(span: Span | null): void;
}

/** Who was on a device, is, and is expected to be: solid ran, hatched is expected, the thin line says how sure that is. */
export const LaneTrack = memo(function LaneTrack({ track, ticks, nowAt, onShow }: LaneTrackProps) {
  return (
    <div className={classes.track} style={{ height: track.lanes * LANE_PX + 4 }}>
      {ticks.map((at) => (
        <i key={at} className={classes.tick} style={{ left: percent(at) }} />
      ))}
      {track.stretches.map((stretch) => (
        <Bar
          key={`${stretch.span.jobId}-${stretch.span.startMs}-${stretch.span.starts === null}`}
          stretch={stretch}
          onShow={onShow}
        />
      ))}
      <i className={classes.now} style={{ left: percent(nowAt) }} />
    </div>
  );
});

const Bar = memo(function Bar({ stretch, onShow }: { stretch: Stretch; onShow(span: Span | null): void }) {
  const { span, from, to, lane, ends, starts } = stretch;
  const status = useMachine((machine) => machine.jobs.get(span.jobId)?.status) ?? span.allocation?.status;
  const name = visibleText(span.name);
  const place = {
    top: lane * LANE_PX + 3,
    '--hue': projectColour(span.project),
  } as React.CSSProperties;
  const aheadFrom = starts === null ? to : clip(starts.p50);
  const aheadTo = ends === null ? aheadFrom : clip(ends.p50);
  const href = hrefOf({ view: 'job', id: span.jobId });
  const link = {
    onMouseEnter: () => onShow(span),
    onMouseLeave: () => onShow(null),
    onFocus: () => onShow(span),
    onBlur: () => onShow(null),
    onContextMenu: (event: React.MouseEvent) => {
      event.preventDefault();
      openMore(
        { title: `#${span.jobId} ${name}`, ids: [span.jobId], arrayId: undefined },
        { x: event.clientX, y: event.clientY },
      );
    },
  };
  return (
    <>
      {starts === null ? (
        <a
          href={href}
          {...link}
          className={classes.bar}
          data-cut={stretch.cut || undefined}
          style={{ ...place, left: percent(from), width: percent(to - from) }}
          aria-label={`#${span.jobId} ${name}, ${status === undefined ? '' : statusWord(status)}`}
        >
          <span className={classes.tag}>
            #{span.jobId} {name}
          </span>
        </a>
      ) : (
        <a
          href={href}
          {...link}
          className={classes.due}
          style={{ ...place, left: percent(aheadFrom), width: percent(Math.max(0, aheadTo - aheadFrom)) }}
          aria-label={t('#{{id}} {{name}}, expected', { id: span.jobId, name })}
        >
          <span className={classes.tag}>#{span.jobId}</span>
        </a>
      )}
      {starts === null && aheadTo > aheadFrom && (
        <i
          className={classes.ahead}
          style={{ ...place, left: percent(aheadFrom), width: percent(aheadTo - aheadFrom) }}
        />
      )}
      {[starts ?? ends].map(
        (spread) =>
          spread !== null &&
          clip(spread.p90) > clip(spread.p10) && (
            <i
              key="spread"
              className={classes.spread}
              style={{
                ...place,
                left: percent(clip(spread.p10)),
                width: percent(clip(spread.p90) - clip(spread.p10)),
              }}
            />
          ),
      )}
    </>
  );
});

/** What is known of a span, in a line. */
export function SpanText({ span, nowMs }: { span: Span; nowMs: number }) {
  const job = useMachine((machine) => machine.jobs.get(span.jobId));
  const { allocation, starts, ends } = span;
  const status = job?.status ?? allocation?.status;
  const from = starts?.p50Ms ?? span.startMs;
  const clock = (ms: number): string =>
    Math.abs(ms - nowMs) < 600_000 ? formatClockSeconds(ms) : formatClock(ms);
  return (
    <span className="cut">
      <b>
        #{span.jobId} {visibleText(span.name)}
      </b>{' '}
      · {visibleText(span.project)}
      {allocation && ` · ${visibleText(allocation.user)}`}
      {starts === null && status !== undefined && ` · ${statusWord(status)}`}
      {starts === null ? (
        <>
          {' '}
          · {clock(from)} {t('to')} {span.endMs === null ? t('now') : clock(span.endMs)} (
          {formatDuration((span.endMs ?? nowMs) - from)})
        </>
      ) : (
        t(' · expected to start at {{start}}, between {{early}} and {{late}}', {
          start: clock(starts.p50Ms),
          early: clock(starts.p10Ms),
          late: clock(starts.p90Ms),
        })
      )}
      {ends !== null &&
        t(' · over at {{end}}, between {{early}} and {{late}}', {
          end: clock(ends.p50Ms),
          early: clock(ends.p10Ms),
          late: clock(ends.p90Ms),
        })}
    </span>
  );
}
