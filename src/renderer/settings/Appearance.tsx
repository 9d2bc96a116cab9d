import { SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { type Density, density, setDensity } from '../appearance.ts';
import { Group, Setting } from './Setting.tsx';

/** How this browser shows the console. */
export function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const chosen = useSyncExternalStore(density.subscribe, density.get);
  return (
    <Group title="Appearance" about="Kept in this browser.">
      <Setting label="Theme" about="Light, dark, or as the system has it." words="colour scheme">
        <SegmentedControl
          size="xs"
          aria-label="Theme of the console"
          data={[
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
            { value: 'auto', label: 'System' },
          ]}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as typeof colorScheme)}
          transitionDuration={0}
        />
      </Setting>
      <Setting label="Density" about="How much room each job takes in the queue." words="compact rows">
        <SegmentedControl
          size="xs"
          aria-label="Density"
          data={[
            { value: 'comfortable', label: 'Comfortable' },
            { value: 'compact', label: 'Compact' },
          ]}
          value={chosen}
          onChange={(value) => setDensity(value as Density)}
          transitionDuration={0}
        />
      </Setting>
    </Group>
  );
}
