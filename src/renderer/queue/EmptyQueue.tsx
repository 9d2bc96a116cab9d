import { Button } from '@mantine/core';
import { t } from '../i18n/t.ts';
import classes from './Board.module.css';

/** Before the first job. */
export function EmptyQueue({ onSubmit }: { onSubmit(): void }) {
  return (
    <section className={classes.empty}>
      <h2>{t('No jobs yet')}</h2>
      <p>
        {t(
          'Give Stint a command and what it needs. It starts when a GPU has room, and says why while it waits.',
        )}
      </p>
      <code className={`${classes.command} mono`}>stint submit --vram 4GiB -- python train.py</code>
      <p>{t('or from here:')}</p>
      <Button onClick={onSubmit}>{t('Submit a job')}</Button>
    </section>
  );
}
