import { Button } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { memo, useState } from 'react';
import { actionText } from '../../domain/actionText.ts';
import type { Decision, Explanation } from '../../domain/decision.ts';
import type { Device } from '../../domain/device.ts';
import { costText, fixed, signed } from '../../domain/explanationText.ts';
import { featureWords } from '../../domain/featureWords.ts';
import { isSameAction } from '../../domain/isSameAction.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatExact, formatMoment } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './DecisionList.module.css';

const FIRST_SHOWN = 12;

/** Decisions, latest first, each a sentence that can be asked why. @param props.openId the one that is asked already. */
export function DecisionList(props: { decisions: readonly Decision[]; openId?: number }) {
  const { decisions, openId } = props;
  const nowMs = useNow();
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set(openId === undefined ? [] : [openId]));
  const toggle = (id: number) =>
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  if (decisions.length === 0) {
    return <p className="dim">{t('No decision yet. One is taken when a job arrives or ends.')}</p>;
  }
  return (
    <>
      <ol className={classes.list}>
        {(all ? decisions : decisions.slice(0, FIRST_SHOWN)).map((decision) => {
          const isOpen = open.has(decision.id);
          const Chevron = isOpen ? IconChevronDown : IconChevronRight;
          return (
            <li key={decision.id} className={classes.item}>
              <button
                type="button"
                className={classes.head}
                aria-expanded={isOpen}
                onClick={() => toggle(decision.id)}
              >
                <time className={classes.time} title={formatExact(decision.atMs)}>
                  {formatMoment(decision.atMs, nowMs)}
                </time>
                <span className={classes.sentence}>
                  {engineText(visibleText(decision.sentence))}
                  <Notes decision={decision} />
                </span>
                <span className={classes.why}>
                  <Chevron size={14} aria-hidden="true" /> {t('why')}
                </span>
              </button>
              {isOpen && <Candidates decision={decision} />}
            </li>
          );
        })}
      </ol>
      {decisions.length > FIRST_SHOWN && !all && (
        <Button size="compact-sm" variant="default" mt={8} onClick={() => setAll(true)}>
          {t('Show')} {decisions.length - FIRST_SHOWN} {t('earlier')}
        </Button>
      )}
    </>
  );
}

function Notes({ decision }: { decision: Decision }) {
  if (decision.fallback !== null) {
    return (
      <span className="trouble">
        {' '}
        · {decision.fallback.failed} {t('failed, the heuristic decided')}
      </span>
    );
  }
  return decision.exploration.explored ? <span className="dim"> {t('· explored')}</span> : null;
}

function Why(props: { explanation: Explanation; devices: readonly Pick<Device, 'id' | 'index'>[] }) {
  const { otherwise, features } = props.explanation;
  return (
    <table className={classes.candidates} aria-label={t('What moved the choice')}>
      <caption className={classes.caption}>
        {t('Rather than to')} {engineText(actionText(otherwise, props.devices))}:{' '}
        {engineText(costText(props.explanation))}
        {t('. What moved it most:')}
      </caption>
      <tbody>
        {features.map(({ name, chosen, otherwise: other, effect }) => (
          <tr key={name}>
            <td>{engineText(featureWords(name))}</td>
            <td
              className={classes.score}
              title={t('of what was done, and of the alternative, as the network sees it')}
            >
              {fixed(chosen, 2)} {t('against')} {fixed(other, 2)}
            </td>
            <td className={classes.score}>{signed(effect)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const Candidates = memo(function Candidates({ decision }: { decision: Decision }) {
  const devices = useMachine((machine) => machine.devices);
  const { candidates, chosen, exploration, fallback, advice, explanation } = decision;
  const best = Math.max(...candidates.map((candidate) => candidate.score ?? Number.NEGATIVE_INFINITY));
  const least = Math.min(...candidates.map((candidate) => candidate.score ?? Number.POSITIVE_INFINITY));
  const share = (score: number) => (best > least ? (score - least) / (best - least) : 1);
  return (
    <div className={classes.detail}>
      <p className={classes.facts}>
        {fallback !== null && (
          <span className="trouble">
            {visibleText(fallback.failed)}: {visibleText(fallback.error)}
          </span>
        )}
        <span>
          {t('by')} {visibleText(decision.policy)}{' '}
          <span className="mono">{visibleText(decision.policyVersion)}</span>
        </span>
        <span>
          {exploration.epsilon === null
            ? t('does not explore')
            : `ε ${exploration.epsilon.toFixed(3)}, ${exploration.explored ? t('chosen at random') : t('chosen by score')}`}
        </span>
        <span>
          {t('the heuristic would')}{' '}
          {isSameAction(decision.heuristicAction, candidates[chosen]!.action)
            ? t('do the same')
            : engineText(actionText(decision.heuristicAction, devices))}
        </span>
        {advice !== undefined && (
          <span>
            {visibleText(advice.policy)} {t('suggested')}{' '}
            {isSameAction(advice.action, candidates[chosen]!.action)
              ? t('the same')
              : t('to {{action}}', { action: engineText(actionText(advice.action, devices)) })}
          </span>
        )}
        <span title={t('snapshot {{snapshotHash}}', { snapshotHash: decision.snapshotHash })}>
          <a href={hrefOf({ view: 'decision', id: decision.id })}>
            {t('decision')} {decision.id}
          </a>
          {t(', epoch')} {decision.epoch}
          {t(', snapshot')} <span className="mono">{decision.snapshotHash.slice(0, 8)}</span>
        </span>
      </p>
      {explanation !== undefined && <Why explanation={explanation} devices={devices} />}
      <table className={classes.candidates}>
        <thead>
          <tr>
            <th>{t('Candidate')}</th>
            <th className={classes.score}>{t('Score')}</th>
            <td />
            <th>{t('Shield')}</th>
          </tr>
        </thead>
        <tbody>
          {candidates.map((candidate, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a decision's candidates never change.
            <tr key={index} data-chosen={index === chosen || undefined}>
              <td>
                {candidate.action.kind === 'launch' ? (
                  <a href={hrefOf({ view: 'job', id: candidate.action.jobId })}>
                    {engineText(actionText(candidate.action, devices))}
                  </a>
                ) : (
                  engineText(actionText(candidate.action, devices))
                )}
                {index === chosen && <b> {t('· taken')}</b>}
              </td>
              <td className={classes.score}>{candidate.score === null ? '–' : fixed(candidate.score, 3)}</td>
              <td className={classes.gauge}>
                {candidate.score !== null && <i style={{ width: `${4 + share(candidate.score) * 96}%` }} />}
              </td>
              <td>
                {candidate.vetoes.length === 0 ? (
                  <span className="dim">{t('allowed')}</span>
                ) : (
                  candidate.vetoes.map((veto) => (
                    <span key={veto.rule} className={classes.veto}>
                      <b>{veto.rule}</b> {engineText(visibleText(veto.reason))}
                    </span>
                  ))
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {decision.candidateCount > candidates.length && (
        <p className="dim">
          {decision.candidateCount - candidates.length} {t('more were scored lower and are not kept.')}
        </p>
      )}
    </div>
  );
});
