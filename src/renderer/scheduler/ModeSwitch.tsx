import { Button, SegmentedControl } from '@mantine/core';
import type { SchedulerStatus } from '../../contract/messages.ts';
import { actionText } from '../../domain/actionText.ts';
import { MODES, type Mode } from '../../domain/mode.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { answer, setMode } from '../machineActions.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatElapsed } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './ModeSwitch.module.css';

const LABELS: Readonly<Record<Mode, string>> = {
  manual: t('People'),
  advise: t('Advise'),
  auto: t('Policy'),
};

/** Who acts, and, where the policy only advises, what it suggests now. */
export function ModeSwitch({ status }: { status: SchedulerStatus }) {
  return (
    <section className={classes.mode} aria-label={t('Who acts')}>
      <h2 className={classes.title}>{t('Who acts')}</h2>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label={t('Who acts')}
        data={MODES.map((mode) => ({ value: mode, label: LABELS[mode] }))}
        value={status.mode}
        onChange={(mode) => void setMode(mode as Mode)}
        transitionDuration={0}
      />
      <p className={`${classes.says} dim`}>{saysOf(status)}</p>
      {status.suggestion !== null && <Suggested status={status} suggestion={status.suggestion} />}
    </section>
  );
}

function saysOf({ mode, policy, heuristic }: SchedulerStatus): string {
  if (mode === 'manual') return t('Nothing starts by itself.');
  if (mode === 'auto') return t('{{policy}} starts what it chooses.', { policy });
  return t('{{heuristic}} acts. Where {{policy}} would do otherwise, it waits for your word first.', {
    heuristic,
    policy,
  });
}

function Suggested(props: {
  status: SchedulerStatus;
  suggestion: NonNullable<SchedulerStatus['suggestion']>;
}) {
  const devices = useMachine((machine) => machine.devices);
  const nowMs = useNow();
  const { heuristic } = props.status;
  const { suggestion } = props;
  const { policy, action, heuristicAction, actsAtMs } = suggestion;
  return (
    <div className={classes.suggestion} role="status">
      <p>
        {visibleText(policy)} {t('would')} <b>{engineText(actionText(action, devices))}</b>.
      </p>
      <p className="dim">
        {heuristic} {t('would')} {engineText(actionText(heuristicAction, devices))}
        {actsAtMs !== null && t(', in {{a}}', { a: formatElapsed(Math.max(0, (actsAtMs - nowMs) / 1000)) })}.
      </p>
      <div className={classes.answers}>
        <Button size="compact-sm" onClick={() => void answer(suggestion, true)}>
          {t('Accept')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => void answer(suggestion, false)}>
          {t('As')} {heuristic} {t('would')}
        </Button>
      </div>
    </div>
  );
}
