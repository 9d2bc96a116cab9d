import { t } from '../i18n/t.ts';
import { Group, Setting } from './Setting.tsx';

const KEPT: readonly (readonly [what: string, howLong: string])[] = [
  [t('Jobs and their events'), t('for good, about 1.5 KiB a job')],
  [t('Logs'), t('for good, in the data directory: what a job wrote is its owner’s to delete')],
  [
    t('Readings of devices'),
    t('an hour as they come, 30 days by the minute, then by the quarter of an hour'),
  ],
  [t('Decisions and transitions'), t('the latest 20,000 of each')],
  [t('Learned weights'), t('the shipped ones, those in charge, and the last 20')],
];

/** What the engine keeps, and for how long. */
export function Kept() {
  return (
    <Group
      title={t('What is kept')}
      about={t('Nothing here needs to be set: the data directory grows slowly.')}
    >
      {KEPT.map(([what, howLong]) => (
        <Setting key={what} label={what} about={howLong} words="retention data">
          {null}
        </Setting>
      ))}
    </Group>
  );
}
