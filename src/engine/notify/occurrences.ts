import type { Device } from '../../domain/device.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import { applyEvent, createJob, type Folded, type JobEventKind } from '../../domain/lifecycle.ts';
import type { NotifyItem } from '../../domain/notifyRule.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import { formatDuration } from '../../domain/units.ts';
import type { StoredEvent } from '../store/jobStore.ts';

/** After these a job may be over. */
const ENDS: ReadonlySet<JobEventKind> = new Set([
  'exited',
  'withdrawn',
  'launch-failed',
  'lost',
  'ended',
  'handed-back',
]);

/**
 * What an event of a job is to people who want to be told: that it failed, that it finished, both, or nothing.
 * @param eventsOf all events of a job, oldest first.
 */
export function jobOccurrences(
  entry: StoredEvent,
  eventsOf: (jobId: number) => readonly StoredEvent[],
): NotifyItem[] {
  if (!ENDS.has(entry.event.kind)) return [];
  const job = jobAt(eventsOf(entry.jobId), entry.seq);
  if (job === null || !isTerminal(job.status)) return [];
  const ranS = runSeconds(job, entry.atMs);
  const why = job.diagnosis?.summary ?? job.cause;
  const ran = job.startedAtMs === null ? '' : ` after ${formatDuration(ranS * 1000)}`;
  const item: Omit<NotifyItem, 'event'> = {
    atMs: entry.atMs,
    text: `Job ${job.id} (${job.name}) of ${job.user} ${job.status}${ran}${why === null ? '' : `: ${why}`}`,
    job: {
      id: job.id,
      name: job.name,
      user: job.user,
      project: job.project,
      status: job.status,
      exitCode: job.exitCode,
      ranS,
      diagnosis: job.diagnosis?.code ?? null,
    },
    device: null,
  };
  const bad = job.status === 'failed' || job.status === 'timed-out' || job.status === 'lost';
  return bad
    ? [
        { event: 'failed', ...item },
        { event: 'finished', ...item },
      ]
    : [{ event: 'finished', ...item }];
}

/** A job as it was right after one of its events: by now a person may have retried it. */
function jobAt(events: readonly StoredEvent[], seq: number): Job | null {
  let folded: Folded | null = null;
  for (const { jobId, atMs, event, seq: at } of events) {
    if (at > seq) break;
    if (event.kind === 'submitted') folded = { job: createJob(jobId, event, atMs), stoppingAs: null };
    else if (folded !== null) folded = applyEvent(folded, event, atMs);
  }
  return folded?.job ?? null;
}

/** That a GPU answers no more. */
export function deviceLost({ id, index, name, trouble, holders }: Device, atMs: number): NotifyItem {
  const jobs = holders.map(({ jobId }) => jobId).join(', ');
  const on = jobs === '' ? '' : `; jobs ${jobs} are on it`;
  return {
    event: 'gpu-lost',
    atMs,
    text: `GPU ${index} (${name}) cannot be read any more${trouble === null ? '' : `: ${trouble}`}${on}`,
    job: null,
    device: { id, index, name },
  };
}
