import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { parseBegin } from '../../domain/begin.ts';
import type { Device } from '../../domain/device.ts';
import type { Yield } from '../../domain/deviceRules.ts';
import { FieldError } from '../../domain/errors.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { useMachine } from '../store/store.ts';
import { formatExact } from '../text/formatTime.ts';
import { offsetMinAt } from '../text/offsetMinAt.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import { sayTrouble } from '../toasts.tsx';
import { useAsked } from '../useAsked.ts';
import { Group, Setting, useIsSought } from './Setting.tsx';
import classes from './Settings.module.css';
import { YIELD_OPTIONS } from './yieldOptions.ts';

type Problems = Partial<Record<'from' | 'to' | 'user', string>>;
const ask = () => client().devices.reservations();

/** For whom devices are kept, and when. */
export function Reservations({ devices }: { devices: readonly Device[] }) {
  const reservations = useAsked(ask);
  const indexOf = new Map(devices.map(({ id, index }) => [id, index]));
  const reload = async (): Promise<void> => reservations.set(await ask());
  const remove = async (id: number): Promise<void> => {
    try {
      await client().devices.unreserve({ id });
      await reload();
    } catch (error) {
      sayTrouble(t('reservation {{id}} was not removed', { id }), error);
    }
  };
  return (
    <Group
      title={t('Reservations')}
      about={t(
        'A time in which only one user’s jobs start on a GPU. Jobs of others that would probably still run are not started there before.',
      )}
    >
      {reservations.value?.map((one) => (
        <Setting
          key={one.id}
          label={t('GPU {{a}} for {{user}}', {
            a: indexOf.get(one.deviceId) ?? '?',
            user: visibleText(one.user),
          })}
          words="reservation"
          about={t('{{fromMs}} to {{toMs}}; others’ jobs {{label}}', {
            fromMs: formatExact(one.fromMs),
            toMs: formatExact(one.toMs),
            label: YIELD_OPTIONS.find(({ value }) => value === one.others)?.label,
          })}
        >
          <Button
            size="compact-xs"
            variant="default"
            aria-label={t('Remove reservation {{id}}', { id: one.id })}
            onClick={() => void remove(one.id)}
          >
            {t('Remove')}
          </Button>
        </Setting>
      ))}
      {reservations.trouble !== null && <p className="trouble">{visibleText(reservations.trouble)}</p>}
      {devices.length > 0 && <NewReservation devices={devices} onMade={reload} />}
    </Group>
  );
}

function NewReservation({ devices, onMade }: { devices: readonly Device[]; onMade(): Promise<void> }) {
  const user = useMachine((machine) => machine.system.user);
  const [form, setForm] = useState({ id: devices[0]!.id, from: '', to: '', user, others: 'pause' as Yield });
  const [problems, setProblems] = useState<Problems>({});
  const sought = useIsSought(t('reserve a GPU for a user, reservation, from, to, others'));
  const bind = (name: keyof Problems) => ({
    size: 'xs' as const,
    value: form[name],
    error: problems[name],
    onChange: ({ currentTarget }: { currentTarget: { value: string } }) => {
      const { value } = currentTarget;
      setForm((old) => ({ ...old, [name]: value }));
      setProblems((old) => ({ ...old, [name]: undefined }));
    },
  });
  const reserve = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const found: Problems = {};
    const nowMs = Date.now();
    const moment = (name: 'from' | 'to'): number => {
      try {
        return parseBegin(form[name], name, { nowMs, offsetMinAt });
      } catch (error) {
        if (!(error instanceof FieldError)) throw error;
        found[name] = error.remedy;
        return nowMs;
      }
    };
    const fromMs = form.from.trim() === '' ? nowMs : moment('from');
    const toMs = moment('to');
    if (form.user.trim() === '') found.user = t('give a user');
    setProblems(found);
    if (Object.keys(found).length > 0) return;
    try {
      await client().devices.reserve({ id: form.id, fromMs, toMs, user: form.user, others: form.others });
      setForm((old) => ({ ...old, from: '', to: '' }));
      await onMade();
    } catch (error) {
      setProblems({ to: troubleText(error) });
    }
  };
  if (!sought) return null;
  return (
    <form onSubmit={reserve} noValidate className={classes.line} data-setting>
      <NativeSelect
        size="xs"
        label="GPU"
        data={devices.map(({ id, index }) => ({ value: id, label: `GPU ${index}` }))}
        value={form.id}
        onChange={({ currentTarget }) => setForm((old) => ({ ...old, id: currentTarget.value }))}
      />
      <TextInput label={t('From')} placeholder={t('now')} {...bind('from')} />
      <TextInput label={t('To')} placeholder={t('+2h, 16:00, tomorrow 09:00')} {...bind('to')} />
      <TextInput label={t('For')} {...bind('user')} />
      <NativeSelect
        size="xs"
        label={t('Others’ jobs')}
        data={[...YIELD_OPTIONS]}
        value={form.others}
        onChange={({ currentTarget }) => setForm((old) => ({ ...old, others: currentTarget.value as Yield }))}
      />
      <Button size="xs" variant="default" type="submit">
        {t('Reserve')}
      </Button>
    </form>
  );
}
