import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Yield } from '../../domain/deviceRules.ts';
import { DAYS, type QuietHours, quietHoursSchema } from '../../domain/machineRules.ts';
import { t } from '../i18n/t.ts';
import { Group, useIsSought } from './Setting.tsx';
import classes from './Settings.module.css';
import { YIELD_OPTIONS } from './yieldOptions.ts';

/** Hours as they are being written. */
interface Draft extends Omit<QuietHours, 'exceptPriority' | 'throttlePercent'> {
  readonly exceptPriority: string;
  readonly throttlePercent: string;
}
const DAY_NAMES: Readonly<Record<(typeof DAYS)[number], string>> = {
  mon: t('Mon'),
  tue: t('Tue'),
  wed: t('Wed'),
  thu: t('Thu'),
  fri: t('Fri'),
  sat: t('Sat'),
  sun: t('Sun'),
};
const NEW: Draft = {
  days: [...DAYS],
  from: '22:00',
  to: '07:00',
  exceptPriority: '',
  running: 'off',
  throttlePercent: '30',
};

const draftOf = (hours: QuietHours): Draft => ({
  ...hours,
  exceptPriority: hours.exceptPriority === null ? '' : String(hours.exceptPriority),
  throttlePercent: String(hours.throttlePercent),
});
const read = (draft: Draft) =>
  quietHoursSchema.safeParse({
    ...draft,
    exceptPriority: draft.exceptPriority.trim() === '' ? null : Number(draft.exceptPriority),
    throttlePercent: Number(draft.throttlePercent),
  });

/** Hours in which few jobs start; changed as a whole. */
export function QuietHoursList(props: {
  saved: readonly QuietHours[];
  onSave(hours: QuietHours[]): Promise<boolean>;
}) {
  const { saved, onSave } = props;
  const [drafts, setDrafts] = useState<readonly Draft[] | null>(null);
  const shown = drafts ?? saved.map(draftOf);
  const results = shown.map(read);
  const sought = useIsSought(t('quiet hours days from to priority running jobs night'));
  const valid = results.every(({ success }) => success);
  const change = (at: number, part: Partial<Draft>): void =>
    setDrafts(shown.map((one, i) => (i === at ? { ...one, ...part } : one)));
  const save = async (): Promise<void> => {
    if (await onSave(results.flatMap(({ data }) => data ?? []))) setDrafts(null);
  };
  if (!sought) return null;
  return (
    <Group
      title={t('Quiet hours')}
      about={t(
        'Hours by the machine’s clock in which no job on GPUs starts but those of some priority. Where the end is not after the beginning it is on the next day.',
      )}
    >
      {shown.map((draft, at) => {
        const problems = new Map(
          results[at]!.error?.issues.map(({ path, message }) => [String(path[0]), message]),
        );
        const text = (name: 'from' | 'to' | 'exceptPriority' | 'throttlePercent', label: string) => (
          <TextInput
            size="xs"
            w={name === 'exceptPriority' ? 136 : 88}
            label={label}
            value={draft[name]}
            error={problems.get(name)}
            onChange={({ currentTarget }) => change(at, { [name]: currentTarget.value })}
          />
        );
        return (
          <fieldset
            // biome-ignore lint/suspicious/noArrayIndexKey: hours have no identity but their place.
            key={at}
            className={classes.hours}
            data-setting
            aria-label={t('Quiet hours {{a}}', { a: at + 1 })}
          >
            <div className={classes.days}>
              {DAYS.map((day) => (
                <Checkbox
                  key={day}
                  size="xs"
                  label={DAY_NAMES[day]}
                  checked={draft.days.includes(day)}
                  onChange={({ currentTarget }) =>
                    change(at, {
                      days: DAYS.filter((one) =>
                        one === day ? currentTarget.checked : draft.days.includes(one),
                      ),
                    })
                  }
                />
              ))}
              {problems.has('days') && <span className="trouble">{problems.get('days')}</span>}
            </div>
            <div className={classes.line}>
              {text('from', t('From'))}
              {text('to', 'To')}
              {text('exceptPriority', t('But from priority'))}
              <NativeSelect
                size="xs"
                label={t('Running jobs')}
                data={[...YIELD_OPTIONS]}
                value={draft.running}
                onChange={({ currentTarget }) => change(at, { running: currentTarget.value as Yield })}
              />
              {draft.running === 'throttle' && text('throttlePercent', t('To percent'))}
              <Button
                size="xs"
                variant="subtle"
                aria-label={t('Remove quiet hours {{a}}', { a: at + 1 })}
                onClick={() => setDrafts(shown.filter((_, i) => i !== at))}
              >
                {t('Remove')}
              </Button>
            </div>
          </fieldset>
        );
      })}
      <div className={classes.line} data-setting>
        <Button size="xs" variant="default" onClick={() => setDrafts([...shown, NEW])}>
          {t('Add quiet hours')}
        </Button>
        {drafts !== null && (
          <>
            <Button size="xs" disabled={!valid} onClick={() => void save()}>
              {t('Save quiet hours')}
            </Button>
            <Button size="xs" variant="subtle" onClick={() => setDrafts(null)}>
              {t('Leave as it was')}
            </Button>
          </>
        )}
      </div>
    </Group>
  );
}
