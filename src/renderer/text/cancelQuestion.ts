import type { JobView } from '../../contract/messages.ts';
import { isLive } from '../../domain/job.ts';
import { t } from '../i18n/t.ts';
import { formatCount } from './formatCount.ts';
import { statusWord } from './statusWord.ts';
import { visibleText } from './visibleText.ts';

/** What is asked before jobs are cancelled that have a process. */
export interface CancelQuestion {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly refuse: string;
}

/** The question about `jobs`, all of which a yes cancels; null when none of them has a process to lose. */
export function cancelQuestion(jobs: readonly JobView[]): CancelQuestion | null {
  const live = jobs.filter((job) => isLive(job.status));
  const [first] = live;
  if (first === undefined) return null;
  const [who, are] =
    live.length === 1
      ? [
          `${jobs.length === 1 ? '' : `#${first.id} `}${visibleText(first.name)}`,
          t('is {{status}}', { status: statusWord(first.status) }),
        ]
      : [listJobs(live), t('have started')];
  const end =
    live.length === 1
      ? t('Its process is told to end now and is killed if it does not. What it has not saved is lost.')
      : t(
          'Their processes are told to end now and are killed if they do not. What they have not saved is lost.',
        );
  const waiting = jobs.filter((job) => !isLive(job.status));
  const others =
    waiting.length === 0
      ? ''
      : t(' Cancelled as well, not started yet: {{waiting}}.', { waiting: listJobs(waiting) });
  const one = jobs.length === 1;
  return {
    title: one
      ? t('Cancel #{{id}}?', { id: first.id })
      : t('Cancel {{length}} jobs?', { length: formatCount(jobs.length) }),
    text: `${who} ${are}. ${end}${others}`,
    confirm: one ? t('Cancel the job') : t('Cancel {{length}} jobs', { length: formatCount(jobs.length) }),
    refuse: one ? t('Let it run') : t('Leave them'),
  };
}

/** Jobs by their numbers, at most six of them. */
export function listJobs(jobs: readonly Pick<JobView, 'id'>[]): string {
  const ids = jobs.slice(0, 6).map((job) => `#${job.id}`);
  return jobs.length > 6
    ? t('{{a}} and {{a2}} more', { a: ids.join(', '), a2: formatCount(jobs.length - 6) })
    : ids.join(', ');
}
