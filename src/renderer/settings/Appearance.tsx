import { NativeSelect, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { type Density, density, setDensity } from '../appearance.ts';
import { LANGUAGES, type Language, language, speak, t } from '../i18n/t.ts';
import { Group, Setting } from './Setting.tsx';

/** How this browser shows the console. */
export function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const chosen = useSyncExternalStore(density.subscribe, density.get);
  return (
    <Group title={t('Appearance')} about={t('Kept in this browser.')}>
      <Setting label={t('Theme')} about={t('Light, dark, or as the system has it.')} words="colour scheme">
        <SegmentedControl
          size="xs"
          aria-label={t('Theme of the console')}
          data={[
            { value: 'light', label: t('Light') },
            { value: 'dark', label: t('Dark') },
            { value: 'auto', label: t('System') },
          ]}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as typeof colorScheme)}
          transitionDuration={0}
        />
      </Setting>
      <Setting
        label={t('Language')}
        about={t('What the engine says (why a job waits, why it died) is English.')}
        words="language 语言 english chinese 中文"
      >
        <NativeSelect
          size="xs"
          aria-label={t('Language')}
          data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          value={language}
          onChange={({ currentTarget }) => speak(currentTarget.value as Language)}
        />
      </Setting>
      <Setting
        label={t('Density')}
        about={t('How much room each job takes in the queue.')}
        words="compact rows"
      >
        <SegmentedControl
          size="xs"
          aria-label={t('Density')}
          data={[
            { value: 'comfortable', label: t('Comfortable') },
            { value: 'compact', label: t('Compact') },
          ]}
          value={chosen}
          onChange={(value) => setDensity(value as Density)}
          transitionDuration={0}
        />
      </Setting>
    </Group>
  );
}
