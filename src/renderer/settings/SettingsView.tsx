import { CloseButton, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { t } from '../i18n/t.ts';
import { useKeys } from '../shell/useKeys.ts';
import { useMachine } from '../store/store.ts';
import { Access } from './Access.tsx';
import { Appearance } from './Appearance.tsx';
import { DeviceSettings } from './DeviceSettings.tsx';
import { Executors } from './Executors.tsx';
import { Findings } from './Findings.tsx';
import { LearningSettings } from './LearningSettings.tsx';
import { MachineSettings } from './MachineSettings.tsx';
import { Notifications } from './Notifications.tsx';
import { Reservations } from './Reservations.tsx';
import { Sought } from './Setting.tsx';
import classes from './Settings.module.css';

/** What the owner wants of devices, machine and console: each explained where it stands. */
export function SettingsView() {
  const devices = useMachine((machine) => machine.devices);
  const [sought, setSought] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => field.current?.focus(), escape: () => setSought('') });
  const inOrder = [...devices].sort((a, b) => a.index - b.index);
  return (
    <Sought value={sought}>
      <div className={classes.page}>
        <TextInput
          ref={field}
          className={classes.search!}
          value={sought}
          onChange={({ currentTarget }) => setSought(currentTarget.value)}
          placeholder={t('Find a setting')}
          aria-label={t('Find a setting')}
          leftSection={<IconSearch size={16} />}
          rightSection={
            sought === '' ? null : (
              <CloseButton size="sm" aria-label={t('Show all settings')} onClick={() => setSought('')} />
            )
          }
        />
        <p className={classes.nothing}>{t('No setting is called that.')}</p>
        <div className={classes.groups}>
          <div>
            {inOrder.map((device) => (
              <DeviceSettings key={device.id} device={device} />
            ))}
            <Reservations devices={inOrder} />
          </div>
          <div>
            <MachineSettings />
            <LearningSettings />
            <Appearance />
            <Notifications />
            <Executors />
            <Access />
            <Findings />
          </div>
        </div>
      </div>
    </Sought>
  );
}
