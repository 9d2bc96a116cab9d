import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { PRIORITY_LIMIT } from '../../domain/job.ts';
import { t } from '../i18n/t.ts';
import { prioritiseAll } from '../jobActions.ts';
import classes from './MoreActions.module.css';

/** One priority for all of these jobs. */
export function PriorityField(props: {
  jobs: readonly JobView[];
  arrayId: number | undefined;
  onDone(): void;
}) {
  const { jobs, arrayId, onDone } = props;
  const known = new Set(jobs.map(({ priority }) => priority));
  const [text, setText] = useState(known.size === 1 ? String([...known][0]) : '');
  const value = Number(text);
  const valid = text.trim() !== '' && Number.isInteger(value) && Math.abs(value) <= PRIORITY_LIMIT;
  const set = (event: FormEvent): void => {
    event.preventDefault();
    if (!valid) return;
    onDone();
    void prioritiseAll(jobs, value, arrayId);
  };
  return (
    <form className={classes.field} onSubmit={set} noValidate>
      <span>{t('Priority')}</span>
      <TextInput
        size="xs"
        aria-label={t('Priority')}
        inputMode="numeric"
        placeholder={t('different')}
        value={text}
        error={text !== '' && !valid}
        title={t('a whole number from -{{PRIORITY_LIMIT}} to {{PRIORITY_LIMIT2}}, higher first', {
          PRIORITY_LIMIT,
          PRIORITY_LIMIT2: PRIORITY_LIMIT,
        })}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
      />
      <Button size="compact-sm" variant="default" type="submit" disabled={!valid}>
        {t('Set')}
      </Button>
    </form>
  );
}
