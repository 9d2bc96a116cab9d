import { Button, Group } from '@mantine/core';
import type { JobView } from '../../contract/messages.ts';
import type { PauseRung } from '../../domain/rungs.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { pauseBy } from '../jobActions.ts';
import { useAsked } from '../useAsked.ts';
import classes from './MoreActions.module.css';

const NAMES: Readonly<Record<PauseRung, string>> = {
  checkpoint: t('its checkpoint'),
  'cuda-checkpoint': t('CUDA’s checkpoint'),
  freezer: t('the freezer'),
  signals: t('signals'),
};
const ask = () => client().system.rungs();

/** By which rung running jobs are made to stand still, where one is to be chosen; those that do not work here say why. */
export function PauseRungs({ jobs, onDone }: { jobs: readonly JobView[]; onDone(): void }) {
  const { value } = useAsked(ask);
  const rungs = value?.filter(({ ladder }) => ladder === 'pause') ?? [];
  if (rungs.length === 0) return null;
  return (
    <section className={classes.choice} aria-label={t('Pause by')}>
      <span>{t('Pause by')}</span>
      <Group gap={4}>
        {rungs.map(({ rung, does, works, note }) => (
          <Button
            key={rung}
            size="compact-xs"
            variant="default"
            // Where it cannot be pressed, it can still be read.
            {...(works ? {} : { 'data-disabled': true, 'aria-disabled': true })}
            title={[does, note].filter(Boolean).join('. ')}
            onClick={() => {
              if (!works) return;
              onDone();
              void pauseBy(jobs, rung as PauseRung);
            }}
          >
            {NAMES[rung as PauseRung]}
          </Button>
        ))}
      </Group>
    </section>
  );
}
