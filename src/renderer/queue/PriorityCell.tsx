import { useRef, useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal, PRIORITY_LIMIT } from '../../domain/job.ts';
import { t } from '../i18n/t.ts';
import { prioritise } from '../jobActions.ts';
import classes from './PriorityCell.module.css';

/** The priority; a click makes it a field. Enter sets it, Escape leaves it. @param tabIndex whether Tab stops there. */
export function PriorityCell({ job, tabIndex = 0 }: { job: JobView; tabIndex?: 0 | -1 }) {
  const [draft, setDraft] = useState<string | null>(null);
  /** True when the keyboard left the field: it goes on from the number. */
  const returns = useRef(false);
  if (isTerminal(job.status)) return <span className="dim">{job.priority}</span>;
  if (draft === null) {
    return (
      <button
        type="button"
        className={classes.value}
        tabIndex={tabIndex}
        ref={(element) => {
          if (element === null || !returns.current) return;
          returns.current = false;
          element.focus();
        }}
        onClick={() => setDraft(String(job.priority))}
        aria-label={t('Priority of #{{id}}: {{priority}}. Change', { id: job.id, priority: job.priority })}
        title={t('Priority, higher first. Click to change')}
      >
        {job.priority}
      </button>
    );
  }
  const value = Number(draft);
  const valid = draft.trim() !== '' && Number.isInteger(value) && Math.abs(value) <= PRIORITY_LIMIT;
  const commit = () => {
    if (valid) void prioritise(job, value);
    setDraft(null);
  };
  return (
    <input
      className={classes.field}
      // biome-ignore lint/a11y/noAutofocus: the person has just asked to edit this very value.
      autoFocus
      inputMode="numeric"
      value={draft}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onFocus={(event) => event.currentTarget.select()}
      onBlur={commit}
      onKeyDown={(event) => {
        returns.current = event.key === 'Escape' || (event.key === 'Enter' && valid);
        if (!returns.current) return;
        event.preventDefault();
        if (event.key === 'Enter') commit();
        else setDraft(null);
      }}
      aria-label={t('Priority of #{{id}}', { id: job.id })}
      aria-invalid={!valid}
      title={
        valid
          ? undefined
          : t('a whole number from -{{PRIORITY_LIMIT}} to {{PRIORITY_LIMIT2}}', {
              PRIORITY_LIMIT,
              PRIORITY_LIMIT2: PRIORITY_LIMIT,
            })
      }
    />
  );
}
