import { Popover } from '@mantine/core';
import { useMemo, useSyncExternalStore } from 'react';
import { useMachine } from '../store/store.ts';
import { MoreActions } from './MoreActions.tsx';
import { more } from './moreStore.ts';

/** The one panel with everything that can be done to a job, several, or an array, wherever it was asked for. */
export function MorePanel() {
  const about = useSyncExternalStore(more.subscribe, more.get);
  const known = useMachine((machine) => machine.jobs);
  const jobs = useMemo(() => about?.ids.flatMap((id) => known.get(id) ?? []) ?? [], [about, known]);
  const close = () => more.update(() => null);
  if (about === null) return null;
  return (
    <Popover
      opened
      onDismiss={close}
      position="bottom-end"
      width={320}
      trapFocus
      returnFocus
      withRoles={false}
      transitionProps={{ duration: 0 }}
      shadow="md"
    >
      <Popover.Target>
        <span style={{ position: 'fixed', pointerEvents: 'none', ...about.at }} />
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label={about.title} p={12}>
        <MoreActions jobs={jobs} title={about.title} arrayId={about.arrayId} onDone={close} />
      </Popover.Dropdown>
    </Popover>
  );
}
