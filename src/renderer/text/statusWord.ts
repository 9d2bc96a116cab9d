import type { JobStatus } from '../../domain/job.ts';
import { t } from '../i18n/t.ts';

const WORDS: Readonly<Record<JobStatus, string>> = {
  queued: t('queued'),
  held: t('held back'),
  starting: t('starting'),
  running: t('running'),
  paused: t('paused'),
  stopping: t('stopping'),
  succeeded: t('succeeded'),
  failed: t('failed'),
  cancelled: t('cancelled'),
  'timed-out': t('timed-out'),
  lost: t('lost'),
};

/** A status as the console says it. */
export const statusWord = (status: JobStatus): string => WORDS[status];
