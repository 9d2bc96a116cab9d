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
import { isTerminal } from '../../domain/job.ts';
import { t } from '../i18n/t.ts';
import { act, isPossible, type JobAction } from '../jobActions.ts';

const BUTTONS = [
  { action: 'pause', label: t('Pause'), Icon: IconPlayerPause },
  { action: 'resume', label: t('Resume'), Icon: IconPlayerPlay },
  { action: 'hold', label: t('Hold back'), Icon: IconHandStop },
  { action: 'release', label: t('Release'), Icon: IconHandOff },
  { action: 'retry', label: t('Retry'), Icon: IconRotateClockwise },
  { action: 'cancel', label: t('Cancel'), Icon: IconX },
] as const satisfies readonly { action: JobAction; label: string; Icon: unknown }[];

/** Of an array, which is in several states at once, so many fit. */
const MOST = 2;

/**
 * What is done most often, a click away.
 * @param tabIndex whether Tab stops there.
 * @param which what the buttons name: `#12`, `array #12`.
 */
export function JobActions(props: {
  jobs: readonly JobView[];
  arrayId?: number;
  which: string;
  tabIndex: 0 | -1;
}) {
  const { jobs, arrayId, which, tabIndex } = props;
  const over = jobs.every(({ status }) => isTerminal(status));
  const possible = BUTTONS.filter(
    ({ action }) => (over || action !== 'retry') && jobs.some((job) => isPossible(action, job)),
  );
  // To cancel comes last and is never the one that is left out.
  const shown = possible.length > MOST ? [...possible.slice(0, MOST - 1), possible.at(-1)!] : possible;
  return shown.map(({ action, label, Icon }) => (
    <ActionIcon
      key={action}
      variant="subtle"
      size={28}
      tabIndex={tabIndex}
      onClick={() => act(action, jobs, arrayId)}
      aria-label={`${label} ${which}`}
      title={`${label} ${which}`}
    >
      <Icon size={16} />
    </ActionIcon>
  ));
}
