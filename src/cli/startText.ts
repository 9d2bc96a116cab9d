import type { StintClient } from '../contract/client.ts';
import type { JobView } from '../contract/messages.ts';
import type { Context } from './context.ts';

/** Whoever asks for one job may wait for it to be looked ahead. */
const WAIT_MS = 3000;

/** When a job will start, and how good such estimates were; empty for one that does not wait for its turn. */
export async function startText(
  context: Context,
  client: StintClient,
  { id, status }: Pick<JobView, 'id' | 'status'>,
): Promise<string> {
  if (status !== 'queued') return '';
  const starts = await client.scheduler.expectedStarts({ waitMs: WAIT_MS });
  const expected = starts.jobs.find(({ jobId }) => jobId === id);
  if (expected === undefined) return '';
  const { expectedStartText, trackRecord } = await import('./expectedStartText.ts');
  const record = trackRecord(expected, starts);
  return `${expectedStartText(expected, context.nowMs())}${record === null ? '' : ` (${record})`}`;
}
