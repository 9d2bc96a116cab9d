import {
  IconHandOff,
  IconHandStop,
  IconPlayerPause,
  IconPlayerPlay,
  IconRotateClockwise,
  IconX,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { t } from '../i18n/t.ts';
import { act, isPossible, type JobAction } from '../jobActions.ts';
import { RowButton } from './RowButton.tsx';

const BUTTONS = [
  { action: 'pause', label: t('Pause'), sign: <IconPlayerPause size={16} aria-hidden="true" /> },
  { action: 'resume', label: t('Resume'), sign: <IconPlayerPlay size={16} aria-hidden="true" /> },
  { action: 'hold', label: t('Hold back'), sign: <IconHandStop size={16} aria-hidden="true" /> },
  { action: 'release', label: t('Release'), sign: <IconHandOff size={16} aria-hidden="true" /> },
  { action: 'retry', label: t('Retry'), sign: <IconRotateClockwise size={16} aria-hidden="true" /> },
  { action: 'cancel', label: t('Cancel'), sign: <IconX size={16} aria-hidden="true" /> },
] as const satisfies readonly { action: JobAction; label: string; sign: ReactNode }[];

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
  return shown.map(({ action, label, sign }) => (
    <RowButton
      key={action}
      tabIndex={tabIndex}
      onClick={() => act(action, jobs, arrayId)}
      label={`${label} ${which}`}
    >
      {sign}
    </RowButton>
  ));
}
