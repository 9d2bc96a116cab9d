import { formatMib } from '../../domain/units.ts';
import { t } from '../i18n/t.ts';
import { SAMPLE_WINDOW_MS } from '../store/state.ts';
import { useMachine, useNow } from '../store/store.ts';
import { visibleText } from '../text/visibleText.ts';
import { DeviceLane } from './DeviceLane.tsx';
import classes from './MachineView.module.css';
import { Sparkline } from './Sparkline.tsx';
import { Timeline } from './Timeline.tsx';

/** The tracks: a lane per device, the host they are in, and who was where over time. */
export function MachineView() {
  const devices = useMachine((machine) => machine.devices);
  const note = useMachine((machine) => machine.system.probeNote);
  return (
    <>
      {devices.length === 0 ? (
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
      ) : (
        <>
          <Timeline />
          <div className={classes.lanes}>
            {[...devices]
              .sort((a, b) => a.index - b.index)
              .map((device) => (
                <DeviceLane key={device.id} device={device} />
              ))}
          </div>
        </>
      )}
      <HostStrip />
    </>
  );
}

function HostStrip() {
  const system = useMachine((machine) => machine.system);
  const host = useMachine((machine) => machine.host);
  const samples = useMachine((machine) => machine.hostSamples);
  const nowMs = useNow();
  const timesMs = samples.map((sample) => sample.atMs);
  const chart = { timesMs, spanMs: SAMPLE_WINDOW_MS, nowMs };
  return (
    <section className={classes.host} aria-label={t('Host')}>
      <div className={classes.hostName}>
        <h2 className={classes.title}>{t('Host')}</h2>
        <span className="cut" title={visibleText(system.cpu)}>
          {visibleText(system.cpu)}
        </span>
        <span className="cut dim">
          {system.cpuCores} {t('cores ·')} {formatMib(system.memoryMib)} · {visibleText(system.os)}
        </span>
      </div>
      <div className={classes.figure}>
        <span className="dim">{t('CPU')}</span>
        <b>{host?.cpu == null ? t('unknown') : `${Math.round(host.cpu * 100)} %`}</b>
        <Sparkline
          {...chart}
          label={t('CPU use over the last 10 min')}
          values={samples.map((sample) => sample.cpu)}
          top={1}
        />
      </div>
      <div className={classes.figure}>
        <span className="dim">{t('Memory')}</span>
        <b>
          {host?.memoryUsedMib == null ? t('unknown') : formatMib(host.memoryUsedMib)}
          <span className={classes.of}>
            {' '}
            {t('of')} {formatMib(system.memoryMib)}
          </span>
        </b>
        <Sparkline
          {...chart}
          label={t('Memory use over the last 10 min')}
          values={samples.map((sample) => sample.memoryUsedMib)}
          top={system.memoryMib}
        />
      </div>
    </section>
  );
}
