import { useDroppable } from '@dnd-kit/core';
import { Button } from '@mantine/core';
import { IconAlertTriangleFilled } from '@tabler/icons-react';
import { memo, type RefObject, useEffect, useRef } from 'react';
import type { Device } from '../../domain/device.ts';
import { formatMib } from '../../domain/units.ts';
import { engineText } from '../i18n/engineText.ts';
import { locale, t } from '../i18n/t.ts';
import { ignoreProcess, reopenDevice } from '../machineActions.ts';
import { hrefOf } from '../route.ts';
import { SAMPLE_WINDOW_MS, type Sample } from '../store/state.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatCoarse, formatExact } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './Lane.module.css';
import { LaneTrack, type LaneTrackProps } from './LaneTrack.tsx';
import { MemoryBar } from './MemoryBar.tsx';
import { Sparkline } from './Sparkline.tsx';
import { CLOSE_SPAN_MS, useCloseUp } from './useCloseUp.ts';
import { useLookedAt } from './useLookedAt.ts';

const gigahertz = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const NO_SAMPLES: readonly Sample[] = [];

/** One device: what it is, its memory by holder, its figures with their last ten minutes, and its track through time. */
export const Lane = memo(function Lane({ device, ...timeline }: { device: Device } & LaneTrackProps) {
  const lane = useRef<HTMLElement>(null);
  const { lookedAt, handlers } = useLookedAt();
  return (
    <article
      ref={lane}
      className={classes.lane}
      aria-label={`GPU ${device.index}`}
      data-health={device.health}
      {...handlers}
    >
      <DropHere deviceId={device.id} lane={lane} />
      <div className={classes.strip}>
        <div className={classes.who}>
          <h2 className={classes.title}>
            {t('GPU')} {device.index}
          </h2>
          <a
            href={hrefOf({ view: 'settings' })}
            className={`${classes.model} cut`}
            title={t('{{name}}, {{id}}: its rules', { name: visibleText(device.name), id: device.id })}
          >
            {visibleText(device.name)}
          </a>
        </div>
        <MemoryBar device={device} />
        <Figures device={device} lookedAt={lookedAt} />
      </div>
      {device.health !== 'ok' && (
        <p className={`${classes.note} trouble`}>
          <IconAlertTriangleFilled size={14} aria-hidden="true" />
          <span>
            <b>{device.health === 'gone' ? t('No longer listed.') : t('Not answering.')}</b>{' '}
            {t('It gets no jobs.')} {device.trouble && visibleText(device.trouble)}
          </span>
        </p>
      )}
      {device.closed !== null && (
        <p className={classes.note}>
          {t('Nothing new starts:')} {engineText(visibleText(device.closed.reason))}.
          {device.closed.rule === 'fault' && (
            <Button size="compact-xs" variant="default" onClick={() => void reopenDevice(device)}>
              {t('Use it again')}
            </Button>
          )}
        </p>
      )}
      {device.yields !== null && (
        <p className={classes.note}>
          {t('Jobs')} {device.yields.kind}: {engineText(visibleText(device.yields.reason))}.
        </p>
      )}
      <Strangers device={device} />
      <LaneTrack {...timeline} />
    </article>
  );
});

/** Lets jobs be dropped onto the lane around it. It draws nothing, so that what is dragged elsewhere has no lane drawn again. */
function DropHere({ deviceId, lane }: { deviceId: string; lane: RefObject<HTMLElement | null> }): null {
  const { setNodeRef, isOver } = useDroppable({ id: deviceId, data: { deviceId } });
  useEffect(() => {
    setNodeRef(lane.current);
    return () => setNodeRef(null);
  }, [lane, setNodeRef]);
  useEffect(() => {
    lane.current?.toggleAttribute('data-over', isOver);
  }, [lane, isOver]);
  return null;
}

/** @param props.lookedAt then as often as they can be measured, over the last seconds. */
function Figures({ device, lookedAt }: { device: Device; lookedAt: boolean }) {
  const known = useMachine((machine) => machine.samples.get(device.id) ?? NO_SAMPLES);
  const close = useCloseUp(lookedAt && device.health === 'ok' ? device.id : null);
  const samples = close?.readings ?? known;
  const reading = device.health === 'ok' ? (close?.readings.at(-1) ?? device.reading) : null;
  const figures = [
    {
      figure: 'utilisation',
      label: t('Use'),
      text: reading?.utilisation == null ? null : `${Math.round(reading.utilisation * 100)} %`,
      top: 1,
    },
    {
      figure: 'temperatureC',
      label: t('Temp.'),
      long: t('Temperature'),
      text: reading?.temperatureC == null ? null : `${Math.round(reading.temperatureC)} °C`,
      top: 100,
    },
    {
      figure: 'powerW',
      label: t('Power'),
      text: reading?.powerW == null ? null : `${Math.round(reading.powerW)} W`,
      limit: reading?.powerLimitW ?? null,
      top: reading?.powerLimitW ?? null,
    },
    {
      figure: 'smClockMhz',
      label: t('Clock'),
      text: reading?.smClockMhz == null ? null : `${gigahertz.format(reading.smClockMhz / 1000)} GHz`,
      top: null,
    },
  ] as const;
  return (
    <dl className={classes.figures} data-close={close !== null || undefined}>
      {figures.map(({ figure, label: short, text, top, ...rest }) => {
        const label = 'long' in rest ? rest.long : short;
        return (
          <div
            key={figure}
            className={classes.figure}
            title={
              text === null
                ? t('{{label}}: not measured on this device', { label })
                : 'limit' in rest && rest.limit !== null
                  ? t('{{label}}: {{text}} of {{limit}} W', { label, text, limit: Math.round(rest.limit) })
                  : undefined
            }
          >
            <dt className="cut">{short}</dt>
            <dd>{text ?? <span className="dim">–</span>}</dd>
            <dd className={classes.chart}>
              <Sparkline
                label={
                  close === null
                    ? t('{{label}} of GPU {{index}} over the last 10 min', { label, index: device.index })
                    : t('{{label}} of GPU {{index}} over the last 10 s', { label, index: device.index })
                }
                samples={samples}
                figure={figure}
                top={top}
                {...(close === null
                  ? { spanMs: SAMPLE_WINDOW_MS }
                  : { spanMs: CLOSE_SPAN_MS, untilMs: close.untilMs })}
              />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Processes on it that are nobody's job. */
function Strangers({ device }: { device: Device }) {
  const nowMs = useNow();
  if (device.foreign.length === 0) return null;
  return (
    <ul
      className={classes.strangers}
      aria-label={t('Not Stint’s, on GPU {{index}}', { index: device.index })}
    >
      {device.foreign.map((process) => {
        const command = process.command === null ? t('unknown command') : visibleText(process.command);
        return (
          <li key={process.pid} className={classes.stranger}>
            <span className={`${classes.mark} foreign`} aria-hidden="true" />
            <span className="cut" title={command}>
              {command}
            </span>
            <span
              className={`${classes.whose} dim`}
              title={
                process.startedAtMs === null
                  ? undefined
                  : t('started {{startedAtMs}}', { startedAtMs: formatExact(process.startedAtMs) })
              }
            >
              {process.memoryMib === null ? t('memory unknown') : formatMib(process.memoryMib)}{' '}
              {t("· not Stint's ·")} {process.user === null ? t('unknown user') : visibleText(process.user)}{' '}
              {t('· pid')} {process.pid}
              {process.startedAtMs !== null &&
                t(' · for {{a}}', { a: formatCoarse(nowMs - process.startedAtMs) })}
              {process.idleSinceMs !== null &&
                t(' · idle for {{a}}', { a: formatCoarse(nowMs - process.idleSinceMs) })}
              {process.jobId !== null &&
                t(' · of #{{jobId}}, which was not given this GPU', { jobId: process.jobId })}
            </span>
            {process.graphics === undefined && (
              <Button
                size="compact-xs"
                variant="default"
                aria-label={t('{{a}} process {{pid}}', {
                  a: process.ignored ? t('Mind') : t('Ignore'),
                  pid: process.pid,
                })}
                title={
                  process.ignored
                    ? t('It keeps jobs away again')
                    : t('It keeps no job away from this GPU any more')
                }
                onClick={() => void ignoreProcess(device, process.pid, !process.ignored)}
              >
                {process.ignored ? t('Mind it') : t('Ignore it')}
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
