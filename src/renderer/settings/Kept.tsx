import { Switch } from '@mantine/core';
import { type MachineRules, machineRulesSchema } from '../../domain/machineRules.ts';
import { formatMib, parseMemoryMib } from '../../domain/units.ts';
import { t } from '../i18n/t.ts';
import { Group, Setting } from './Setting.tsx';
import { reader, ValueField } from './ValueField.tsx';

const readCap = (field: 'logCapMib' | 'logTotalMib') =>
  reader((text) => (text === '' ? null : parseMemoryMib(text, field)), machineRulesSchema.shape[field]);
const readLogCap = readCap('logCapMib');
const readLogsTotal = readCap('logTotalMib');
const readDays = reader(
  (text) => (text === '' ? Number.NaN : Number(text)),
  machineRulesSchema.shape.snapshotDays,
);

const capText = (mib: number | null): string => (mib === null ? '' : formatMib(mib).replace(' ', ''));

const KEPT: readonly (readonly [what: string, howLong: string])[] = [
  [t('Jobs and their events'), t('for good, about 4.5 KiB a job')],
  [
    t('Readings of devices'),
    t('an hour as they come, 30 days by the minute, then by the quarter of an hour'),
  ],
  [t('Decisions and transitions'), t('the latest 20,000 of each')],
  [t('Learned weights'), t('the shipped ones, those in charge, and the last 20')],
];

/** What the engine keeps, for how long, and what of that the owner decides. */
export function Kept(props: { rules: MachineRules; onSet(change: Partial<MachineRules>): Promise<boolean> }) {
  const { rules, onSet } = props;
  return (
    <Group
      title={t('What is kept')}
      about={t('`stint df` says what it takes, and `stint cleanup` removes what jobs that are over left.')}
    >
      <Setting
        label={t('Each log at most')}
        words="retention data disk cap size"
        about={t(
          'Of a longer one the beginning and the latest part stay, and the job writes on. Empty: it grows as it will.',
        )}
      >
        <ValueField
          label={t('Each log at most')}
          placeholder={t('no cap')}
          value={capText(rules.logCapMib)}
          read={readLogCap}
          onSave={(logCapMib) => void onSet({ logCapMib })}
        />
      </Setting>
      <Setting
        label={t('All logs together at most')}
        words="retention data disk cap size total"
        about={t(
          'Beyond it the logs of jobs that ended first are removed; those of jobs that run stay. Empty: no cap.',
        )}
      >
        <ValueField
          label={t('All logs together at most')}
          placeholder={t('no cap')}
          value={capText(rules.logTotalMib)}
          read={readLogsTotal}
          onSave={(logTotalMib) => void onSet({ logTotalMib })}
        />
      </Setting>
      <Setting
        label={t('Also logs elsewhere')}
        words="retention data output cap"
        about={t('Both also hold for logs that a job was told to write to a place of your own.')}
      >
        <Switch
          aria-label={t('Also logs elsewhere')}
          checked={rules.capOutput}
          onChange={({ currentTarget }) => void onSet({ capOutput: currentTarget.checked })}
        />
      </Setting>
      <Setting
        label={t('Copies of code are removed after')}
        words="retention snapshot days"
        about={t('For so long after its end a job that ran from a copy can be tried again in it.')}
      >
        <ValueField
          label={t('Copies of code are removed after')}
          unit={t('days')}
          value={String(rules.snapshotDays)}
          read={readDays}
          onSave={(snapshotDays) => void onSet({ snapshotDays })}
        />
      </Setting>
      {KEPT.map(([what, howLong]) => (
        <Setting key={what} label={what} about={howLong} words="retention data">
          {null}
        </Setting>
      ))}
    </Group>
  );
}
