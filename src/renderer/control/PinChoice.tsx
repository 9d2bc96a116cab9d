import { Chip, Group } from '@mantine/core';
import type { JobView } from '../../contract/messages.ts';
import { t } from '../i18n/t.ts';
import { pin } from '../jobActions.ts';
import { useMachine } from '../store/store.ts';
import classes from './MoreActions.module.css';

/** On which GPUs waiting jobs may start. */
export function PinChoice({ jobs }: { jobs: readonly JobView[] }) {
  const devices = useMachine((machine) => machine.devices);
  const kept = new Set(jobs.flatMap((job) => job.pinnedTo ?? []));
  const needed = Math.max(...jobs.map((job) => job.minGpus ?? job.gpus));
  const inOrder = [...devices].sort((a, b) => a.index - b.index);
  const toggle = (id: string): void => {
    const chosen = inOrder.filter((device) =>
      device.id === id ? !kept.has(id) : needed > 1 || kept.size > 1 ? kept.has(device.id) : false,
    );
    // Fewer than it needs are no choice yet: the first that follow make it up.
    const rest = inOrder.filter((device) => !chosen.includes(device));
    const enough =
      chosen.length === 0 ? [] : [...chosen, ...rest.slice(0, Math.max(0, needed - chosen.length))];
    void pin(jobs, enough.length === 0 ? null : enough);
  };
  return (
    <section className={classes.choice} aria-label={t('Only on')}>
      <span>{t('Only on')}</span>
      <Group gap={4}>
        {inOrder.map(({ id, index }) => (
          <Chip
            key={id}
            size="xs"
            radius={2}
            checked={kept.has(id)}
            onChange={() => toggle(id)}
            aria-label={t('Only on GPU {{index}}', { index })}
          >
            {index}
          </Chip>
        ))}
        <Chip size="xs" radius={2} checked={kept.size === 0} onChange={() => void pin(jobs, null)}>
          {t('any')}
        </Chip>
      </Group>
    </section>
  );
}
