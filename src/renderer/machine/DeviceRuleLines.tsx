import { NativeSelect } from '@mantine/core';
import type { Device } from '../../domain/device.ts';
import { setDeviceRules } from '../machineActions.ts';
import { hrefOf } from '../route.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './DeviceRuleLines.module.css';

const FOREIGN = [
  { value: 'share', label: 'share with others where jobs fit' },
  { value: 'avoid', label: 'no jobs beside others' },
];
const PRESENCE = [
  { value: 'off', label: 'jobs go on while you are there' },
  { value: 'throttle', label: 'slow jobs down while you are there' },
  { value: 'pause', label: 'pause jobs while you are there' },
];

/** What the owner wants of a device, and what follows now. */
export function DeviceRuleLines({ device }: { device: Device }) {
  const { rules, closed, yields } = device;
  return (
    <div className={classes.rules}>
      <NativeSelect
        size="xs"
        aria-label={`Others on GPU ${device.index}`}
        data={FOREIGN}
        value={rules.foreign}
        onChange={({ currentTarget }) =>
          void setDeviceRules(device, { foreign: currentTarget.value as typeof rules.foreign })
        }
      />
      <NativeSelect
        size="xs"
        aria-label={`Presence at GPU ${device.index}`}
        data={PRESENCE}
        value={rules.presence}
        onChange={({ currentTarget }) =>
          void setDeviceRules(device, { presence: currentTarget.value as typeof rules.presence })
        }
      />
      <a href={hrefOf({ view: 'settings' })}>All rules</a>
      {closed !== null && <p>Nothing new starts: {visibleText(closed.reason)}.</p>}
      {yields !== null && (
        <p>
          Jobs {yields.kind}: {visibleText(yields.reason)}.
        </p>
      )}
    </div>
  );
}
