import { ActionIcon } from '@mantine/core';
import {
  IconHandOff,
  IconHandStop,
  IconPlayerPause,
  IconPlayerPlay,
  IconRotateClockwise,
  IconX,
} from '@tabler/icons-react';
import type { JobView } from '../../contract/messages.ts';
import { act, isPossible, type JobAction } from '../actions.ts';

const BUTTONS = [
  { action: 'pause', label: 'Pause', Icon: IconPlayerPause },
  { action: 'resume', label: 'Resume', Icon: IconPlayerPlay },
  { action: 'hold', label: 'Hold back', Icon: IconHandStop },
  { action: 'release', label: 'Release', Icon: IconHandOff },
  { action: 'retry', label: 'Retry', Icon: IconRotateClockwise },
  { action: 'cancel', label: 'Cancel', Icon: IconX },
] as const satisfies readonly { action: JobAction; label: string; Icon: unknown }[];

/** What can be done to the job now. @param tabIndex whether Tab stops there. */
export function JobActions({ job, tabIndex }: { job: JobView; tabIndex: 0 | -1 }) {
  return BUTTONS.filter(({ action }) => isPossible(action, job.status)).map(({ action, label, Icon }) => (
    <ActionIcon
      key={action}
      variant="subtle"
      size={28}
      tabIndex={tabIndex}
      onClick={() => act(action, [job])}
      aria-label={`${label} #${job.id}`}
      title={`${label} #${job.id}`}
    >
      <Icon size={16} />
    </ActionIcon>
  ));
}
