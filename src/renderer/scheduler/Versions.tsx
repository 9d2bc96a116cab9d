import { Button, Switch } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import type { SchedulerStatus } from '../../contract/messages.ts';
import type { PolicyVersion } from '../../domain/policyVersion.ts';
import { client } from '../connection.ts';
import { locale, t } from '../i18n/t.ts';
import { judgeVersion, putInCharge, rollBack, setFrozen } from '../machineActions.ts';
import { useNow } from '../store/store.ts';
import { formatExact, formatMoment } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import { useAsked } from '../useAsked.ts';
import classes from './Versions.module.css';

const FIRST_SHOWN = 6;
const SOURCES: Readonly<Record<PolicyVersion['source'], string>> = {
  shipped: t('shipped'),
  online: t('learned here'),
  imported: t('imported'),
};

/** The learned policy's weights: which are in charge, what the gate said of the others, and the way to change that. */
export function Versions({ status }: { status: SchedulerStatus }) {
  const nowMs = useNow();
  const ask = useCallback(() => client().scheduler.versions(), []);
  const { value: versions, trouble, set } = useAsked(ask);
  const [all, setAll] = useState(false);
  const { frozen, judging, last } = status.promotion;
  // Asked again when one took charge, or was judged.
  const again = (): void => void ask().then(set, () => undefined);
  const news = `${status.policyVersion} ${judging} ${last?.atMs}`;
  useEffect(() => {
    if (news === '') return;
    void ask().then(set, () => undefined);
  }, [ask, set, news]);
  if (trouble !== null) return <p className="trouble">{visibleText(trouble)}</p>;
  if (versions === null) return <p className="dim">…</p>;
  const shown = all ? versions : versions.slice(0, FIRST_SHOWN);
  return (
    <>
      <div className={classes.tools}>
        <Switch
          size="xs"
          label={t('What is learned takes charge by itself once it has passed the gate')}
          checked={!frozen}
          onChange={({ currentTarget }) => void setFrozen(!currentTarget.checked)}
        />
        {versions.length > 1 && (
          <Button size="compact-xs" variant="default" onClick={() => void rollBack().then(again)}>
            {t('Back to the one before')}
          </Button>
        )}
      </div>
      <Gain versions={versions} heuristic={status.heuristic} />
      <table className={classes.table}>
        <thead>
          <tr>
            <th>{t('Version')}</th>
            <th>{t('Steps')}</th>
            <th>{t('Judged')}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <tr key={one.version} data-live={one.inCharge || undefined}>
              <td>
                <span className="mono">{visibleText(one.version)}</span>
                <span className="dim" title={formatExact(one.createdAtMs)}>
                  {' '}
                  {SOURCES[one.source]}, {formatMoment(one.createdAtMs, nowMs)}
                </span>
              </td>
              <td className={classes.number}>{one.trainSteps.toLocaleString(locale)}</td>
              <td title={one.gate === null ? undefined : visibleText(one.gate.reason)}>
                {one.version === judging ? (
                  t('being judged')
                ) : one.gate === null ? (
                  one.inCharge ? (
                    <span className="dim">–</span>
                  ) : (
                    <Button
                      size="compact-xs"
                      variant="default"
                      disabled={judging !== null}
                      aria-label={t('Judge it: {{version}}', { version: visibleText(one.version) })}
                      onClick={() => void judgeVersion(one.version)}
                    >
                      {t('Judge it')}
                    </Button>
                  )
                ) : (
                  <>
                    {one.gate.passed ? t('passed') : t('not passed')} <Ratio version={one} />
                  </>
                )}
              </td>
              <td className={classes.act}>
                {one.inCharge ? (
                  <b>{t('in charge')}</b>
                ) : (
                  <Button
                    size="compact-xs"
                    variant="default"
                    aria-label={t('Put in charge: {{version}}', { version: visibleText(one.version) })}
                    onClick={() => void putInCharge(one.version).then(again)}
                  >
                    {t('Put in charge')}
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {versions.length > FIRST_SHOWN && !all && (
        <Button size="compact-sm" variant="default" mt={8} onClick={() => setAll(true)}>
          {t('Show {{n}} earlier', { n: versions.length - FIRST_SHOWN })}
        </Button>
      )}
    </>
  );
}

/** What the version in charge gained over the heuristic, as far as the gate tried it. */
function Gain({ versions, heuristic }: { versions: readonly PolicyVersion[]; heuristic: string }) {
  const gate = versions.find(({ inCharge }) => inCharge)?.gate ?? null;
  const standing = gate?.standings.find(({ policy }) => policy === heuristic);
  if (gate === null || standing === undefined) return null;
  const percent = (ratio: number): string =>
    (1 - ratio).toLocaleString(locale, {
      style: 'percent',
      signDisplay: 'exceptZero',
      maximumFractionDigits: 1,
    });
  const { ratio, low, high } = standing;
  return (
    <p className={classes.gain}>
      {t('Estimated gain over {{heuristic}}:', { heuristic })} <b>{percent(ratio)}</b>
      {low !== null && high !== null && ` [${percent(high)}, ${percent(low)}]`}{' '}
      <span className="dim">
        {t('of mean completion time, on {{own}} of your days and {{others}} standing workloads', {
          own: gate.ownDays,
          others: gate.standingWorlds,
        })}
      </span>
    </p>
  );
}

/** Its mean completion time against the version in charge then, with the interval. */
function Ratio({ version: { gate } }: { version: PolicyVersion }) {
  const [first] = gate?.standings ?? [];
  if (first === undefined) return null;
  const { ratio, low, high } = first;
  return (
    <span
      className="dim"
      title={t('mean completion time against the version in charge then; below 1 is better')}
    >
      {ratio.toFixed(3)} ×{low !== null && high !== null && ` [${low.toFixed(3)}, ${high.toFixed(3)}]`}
    </span>
  );
}
