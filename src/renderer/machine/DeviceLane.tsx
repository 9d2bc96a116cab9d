import { Button } from '@mantine/core';
import { IconAlertTriangleFilled } from '@tabler/icons-react';
import type { Device } from '../../domain/device.ts';
import { formatMib } from '../../domain/units.ts';
import { projectColour } from '../hue.ts';
import { t } from '../i18n/t.ts';
import { ignoreProcess } from '../machineActions.ts';
import { hrefOf } from '../route.ts';
import { ProjectBar } from '../shell/ProjectBar.tsx';
import { SAMPLE_WINDOW_MS, type Sample } from '../store/state.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatCoarse, formatExact } from '../text/formatTime.ts';
import { statusWord } from '../text/statusWord.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './DeviceLane.module.css';
import { DeviceRuleLines } from './DeviceRuleLines.tsx';
import { memoryOf } from './memoryShares.ts';
import { Sparkline } from './Sparkline.tsx';

const NO_SAMPLES: readonly Sample[] = [];

/** One device: what it is, its memory by holder, its figures with their last ten minutes, and who is on it. */
export function DeviceLane({ device }: { device: Device }) {
  const samples = useMachine((machine) => machine.samples.get(device.id) ?? NO_SAMPLES);
  const nowMs = useNow();
  const reading = device.health === 'ok' ? device.reading : null;
  const timesMs = samples.map((sample) => sample.atMs);
  const figures = [
    {
      key: 'use',
      label: t('Use'),
      text: reading?.utilisation == null ? null : `${Math.round(reading.utilisation * 100)} %`,
      values: samples.map((sample) => sample.utilisation),
      top: 1,
    },
    {
      key: 'temperature',
      label: t('Temperature'),
      text: reading?.temperatureC == null ? null : `${Math.round(reading.temperatureC)} °C`,
      values: samples.map((sample) => sample.temperatureC),
      top: 100,
    },
    {
      key: 'power',
      label: t('Power'),
      text: reading?.powerW == null ? null : `${Math.round(reading.powerW)} W`,
      limit:
        reading?.powerLimitW == null
          ? null
          : t('of {{powerLimitW}} W', { powerLimitW: Math.round(reading.powerLimitW) }),
      values: samples.map((sample) => sample.powerW),
      top: reading?.powerLimitW ?? null,
    },
  ];
  return (
    <article className={classes.lane} aria-label={`GPU ${device.index}`} data-health={device.health}>
      <div className={classes.who}>
        <h2 className={classes.title}>
          {t('GPU')} {device.index}
        </h2>
        <span className="cut" title={`${visibleText(device.name)}, ${device.id}`}>
          {visibleText(device.name)}
        </span>
        <span className="dim">
          {formatMib(device.memoryTotalMib)} · {device.kind}
        </span>
        <DeviceRuleLines device={device} />
        {device.health !== 'ok' && (
          <p className={classes.trouble}>
            <IconAlertTriangleFilled size={14} aria-hidden="true" />
            <span>
              <b>{device.health === 'gone' ? t('No longer listed.') : t('Not answering.')}</b>{' '}
              {t('It gets no jobs.')} {device.trouble && visibleText(device.trouble)}
            </span>
          </p>
        )}
      </div>
      <div className={classes.middle}>
        <MemoryBar device={device} />
        <dl className={classes.figures}>
          {figures.map((figure) => (
            <div key={figure.key} className={classes.figure}>
              <dt>{figure.label}</dt>
              <dd
                title={
                  figure.text === null
                    ? t('{{label}}: not measured on this device', { label: figure.label })
                    : undefined
                }
              >
                {figure.text ?? <span className={classes.unknown}>{t('unknown')}</span>}
                {figure.limit && <span className={classes.limit}> {figure.limit}</span>}
              </dd>
              <dd className={classes.chart}>
                <Sparkline
                  label={t('{{label}} of GPU {{index}} over the last 10 min', {
                    label: figure.label,
                    index: device.index,
                  })}
                  timesMs={timesMs}
                  values={figure.values}
                  top={figure.top}
                  spanMs={SAMPLE_WINDOW_MS}
                  nowMs={nowMs}
                />
              </dd>
            </div>
          ))}
        </dl>
      </div>
      <Holders device={device} />
    </article>
  );
}

function MemoryBar({ device }: { device: Device }) {
  const jobs = useMachine((machine) => machine.jobs);
  const { shares, freeMib, usedMib } = memoryOf(device);
  const width = (mib: number) => `${(mib / device.memoryTotalMib) * 100}%`;
  const spoken = [
    ...shares.map((share) =>
      share.kind === 'job'
        ? `#${share.jobId} ${formatMib(share.mib)}`
        : t('others {{mib}}', { mib: formatMib(share.mib) }),
    ),
    freeMib === null ? t('the rest is unknown') : t('{{freeMib}} free', { freeMib: formatMib(freeMib) }),
  ].join(', ');
  return (
    <div>
      <div className={classes.memoryTop}>
        <span>{t('Memory')}</span>
        <span>
          {usedMib === null ? (
            <span className={classes.unknown} title={t('The device does not say how much is used')}>
              {t('unknown')}
            </span>
          ) : (
            <>
              <b>{formatMib(usedMib)}</b> {t('used')}
            </>
          )}
        </span>
        <span className={classes.free}>
          {freeMib === null ? (
            <span className="dim" title={t('Not measured, so it does not count as free')}>
              –
            </span>
          ) : (
            <>
              <b>{formatMib(freeMib)}</b> {t('free of')} {formatMib(device.memoryTotalMib)}
            </>
          )}
        </span>
      </div>
      <div
        className={classes.memory}
        role="img"
        aria-label={t('Memory of GPU {{index}}: {{spoken}}', { index: device.index, spoken })}
        data-unknown={freeMib === null || undefined}
      >
        {shares.map((share) =>
          share.kind === 'job' ? (
            <span
              key={share.jobId}
              className={classes.share}
              style={{
                width: width(share.mib),
                background: projectColour(jobs.get(share.jobId)?.project ?? ''),
              }}
              title={`#${share.jobId}: ${formatMib(share.mib)} ${share.measured ? t('measured') : t('set aside')}`}
            />
          ) : (
            <span
              key="foreign"
              className={`${classes.share} foreign`}
              style={{ width: width(share.mib) }}
              title={t("Processes that are not Stint's: {{mib}}", { mib: formatMib(share.mib) })}
            />
          ),
        )}
      </div>
    </div>
  );
}

function Holders({ device }: { device: Device }) {
  const jobs = useMachine((machine) => machine.jobs);
  const nowMs = useNow();
  if (device.holders.length + device.foreign.length === 0) {
    return (
      <p className={classes.nobody}>
        {device.health === 'ok' ? t('Nobody is on it.') : t('Who is on it is unknown.')}
      </p>
    );
  }
  return (
    <ul className={classes.holders} aria-label={`On GPU ${device.index}`}>
      {device.holders.map((holder) => {
        const job = jobs.get(holder.jobId);
        return (
          <li key={holder.jobId} className={classes.holder}>
            <ProjectBar project={job?.project ?? ''} />
            <span className={classes.holderText}>
              <a className="cut" href={hrefOf({ view: 'job', id: holder.jobId })}>
                #{holder.jobId} {job ? visibleText(job.name) : ''}
              </a>
              <span className="cut dim">
                {holder.usedMib === null
                  ? t('{{reservedMib}} set aside', { reservedMib: formatMib(holder.reservedMib) })
                  : t('{{usedMib}} used of {{reservedMib}}', {
                      usedMib: formatMib(holder.usedMib),
                      reservedMib: formatMib(holder.reservedMib),
                    })}
                {job && ` · ${visibleText(job.user)} · ${statusWord(job.status)}`}
              </span>
            </span>
          </li>
        );
      })}
      {device.foreign.map((process) => {
        const command = process.command === null ? t('unknown command') : visibleText(process.command);
        return (
          <li key={process.pid} className={classes.holder}>
            <span className={`${classes.foreignMark} foreign`} aria-hidden="true" />
            <span className={classes.holderText}>
              <span className="cut" title={command}>
                {command}
              </span>
              <span
                className="cut dim"
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
