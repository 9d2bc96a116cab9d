import type { Device } from '../../domain/device.ts';
import { formatMib } from '../../domain/units.ts';
import { projectColour } from '../hue.ts';
import { t } from '../i18n/t.ts';
import { useMachine } from '../store/store.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './MemoryBar.module.css';
import { memoryOf } from './memoryShares.ts';

/** A device's memory by who holds it: our jobs in their projects' colours, others hatched, and what is free. */
export function MemoryBar({ device }: { device: Device }) {
  const jobs = useMachine((machine) => machine.jobs);
  const { shares, freeMib, usedMib } = memoryOf(device);
  const width = (mib: number) => `${(mib / device.memoryTotalMib) * 100}%`;
  const ours = shares.reduce((sum, share) => sum + (share.kind === 'job' ? share.mib : 0), 0);
  const others = shares.reduce((sum, share) => sum + (share.kind === 'foreign' ? share.mib : 0), 0);
  const spoken = [
    ...shares.map((share) =>
      share.kind === 'job'
        ? `#${share.jobId} ${formatMib(share.mib)}`
        : t('others {{mib}}', { mib: formatMib(share.mib) }),
    ),
    freeMib === null ? t('the rest is unknown') : t('{{freeMib}} free', { freeMib: formatMib(freeMib) }),
  ].join(', ');
  return (
    <div className={classes.memory}>
      <div className={classes.says}>
        {ours > 0 && (
          <span>
            <b>{formatMib(ours)}</b> {t('ours')}
          </span>
        )}
        {others > 0 && (
          <span>
            <b>{formatMib(others)}</b> {t('others’')}
          </span>
        )}
        <span className={classes.free}>
          {freeMib === null ? (
            <span className="dim" title={t('Not measured, so it does not count as free')}>
              {usedMib === null ? t('memory unknown') : '–'}
            </span>
          ) : (
            <b>{t('{{freeMib}} free', { freeMib: formatMib(freeMib) })}</b>
          )}
        </span>
        {freeMib !== null && (
          <span className={classes.whole}>
            {t('of')} {formatMib(device.memoryTotalMib)}
          </span>
        )}
      </div>
      <div
        className={classes.bar}
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
              title={`#${share.jobId} ${visibleText(jobs.get(share.jobId)?.name ?? '')}: ${formatMib(share.mib)} ${
                share.measured ? t('measured') : t('set aside')
              }`}
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
