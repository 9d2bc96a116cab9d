import type { JobView } from '../../contract/messages.ts';
import { isLive } from '../../domain/job.ts';
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
          `is ${statusWord(first.status)}`,
        ]
      : [listJobs(live), 'have started'];
  const end =
    live.length === 1
      ? 'Its process is told to end now and is killed if it does not. What it has not saved is lost.'
      : 'Their processes are told to end now and are killed if they do not. What they have not saved is lost.';
  const waiting = jobs.filter((job) => !isLive(job.status));
  const others = waiting.length === 0 ? '' : ` Cancelled as well, not started yet: ${listJobs(waiting)}.`;
  const one = jobs.length === 1;
  return {
    title: one ? `Cancel #${first.id}?` : `Cancel ${jobs.length} jobs?`,
    text: `${who} ${are}. ${end}${others}`,
    confirm: one ? 'Cancel the job' : `Cancel ${jobs.length} jobs`,
    refuse: one ? 'Let it run' : 'Leave them',
  };
}

/** Jobs by their numbers, at most six of them. */
export function listJobs(jobs: readonly Pick<JobView, 'id'>[]): string {
  const ids = jobs.slice(0, 6).map((job) => `#${job.id}`);
  return jobs.length > 6 ? `${ids.join(', ')} and ${jobs.length - 6} more` : ids.join(', ');
}
