import { NativeSelect } from '@mantine/core';
import type { Device } from '../../domain/device.ts';
import { t } from '../i18n/t.ts';
import { setDeviceRules } from '../machineActions.ts';
import { hrefOf } from '../route.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './DeviceRuleLines.module.css';

const FOREIGN = [
  { value: 'share', label: t('share with others where jobs fit') },
  { value: 'avoid', label: t('no jobs beside others') },
];
const PRESENCE = [
  { value: 'off', label: t('jobs go on while you are there') },
  { value: 'throttle', label: t('slow jobs down while you are there') },
  { value: 'pause', label: t('pause jobs while you are there') },
];

/** What the owner wants of a device, and what follows now. */
export function DeviceRuleLines({ device }: { device: Device }) {
  const { rules, closed, yields } = device;
  return (
    <div className={classes.rules}>
      <NativeSelect
        size="xs"
        aria-label={t('Others on GPU {{index}}', { index: device.index })}
        data={FOREIGN}
        value={rules.foreign}
        onChange={({ currentTarget }) =>
          void setDeviceRules(device, { foreign: currentTarget.value as typeof rules.foreign })
        }
      />
      <NativeSelect
        size="xs"
        aria-label={t('Presence at GPU {{index}}', { index: device.index })}
        data={PRESENCE}
        value={rules.presence}
        onChange={({ currentTarget }) =>
          void setDeviceRules(device, { presence: currentTarget.value as typeof rules.presence })
        }
      />
      <a href={hrefOf({ view: 'settings' })}>{t('All rules')}</a>
      {closed !== null && (
        <p>
          {t('Nothing new starts:')} {visibleText(closed.reason)}.
        </p>
      )}
      {yields !== null && (
        <p>
          {t('Jobs')} {yields.kind}: {visibleText(yields.reason)}.
        </p>
      )}
    </div>
  );
}
