import {
  IconAlertTriangleFilled,
  IconBan,
  IconCheck,
  IconClock,
  IconHandStop,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerTrackNextFilled,
  IconSquareFilled,
} from '@tabler/icons-react';
import type { JobStatus } from '../../domain/job.ts';
import { statusWord } from '../text/statusWord.ts';
import classes from './StatusMark.module.css';

const ICONS = {
  queued: IconClock,
  held: IconHandStop,
  starting: IconPlayerTrackNextFilled,
  running: IconPlayerPlayFilled,
  paused: IconPlayerPauseFilled,
  stopping: IconSquareFilled,
  succeeded: IconCheck,
  failed: IconAlertTriangleFilled,
  cancelled: IconBan,
  'timed-out': IconAlertTriangleFilled,
  lost: IconAlertTriangleFilled,
} as const satisfies Record<JobStatus, unknown>;

/** True for ends that nobody wanted. */
export const isTrouble = (status: JobStatus): boolean =>
  status === 'failed' || status === 'timed-out' || status === 'lost';

/** A status in a word, with a sign; coloured only when it is trouble. */
export function StatusMark({ status }: { status: JobStatus }) {
  const Icon = ICONS[status];
  return (
    <span className={`${classes.status} ${isTrouble(status) ? 'trouble' : ''}`} data-status={status}>
      <Icon size={14} aria-hidden="true" />
      {statusWord(status)}
    </span>
  );
}
