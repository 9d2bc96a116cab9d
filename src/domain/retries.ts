import type { DiagnosisCode } from './diagnosis.ts';
import type { Job } from './job.ts';
import { formatDuration } from './units.ts';

/** Delays double up to this, or stay what they were given as where that is longer. An hour. */
const LONGEST_DELAY_S = 3600;

type RetryTerms = Pick<Job, 'retries' | 'retried' | 'retryDelayS' | 'retryOn' | 'retryOnDiagnoses'>;

/** `1 of 3 used, 30 s apart at first, only after exit code 1 or 137 or gpu-memory`; empty where it has none. */
export function retryText(job: RetryTerms): string {
  const { retries, retried, retryDelayS, retryOn, retryOnDiagnoses } = job;
  if (retries === 0) return '';
  const after = [
    ...(retryOn === null ? [] : [`exit code ${retryOn.join(' or ')}`]),
    ...(retryOnDiagnoses ?? []),
  ];
  const codes = after.length === 0 ? '' : `, only after ${after.join(' or ')}`;
  const apart = retryDelayS === 0 ? 'at once' : `${formatDuration(retryDelayS * 1000)} apart at first`;
  return `${retried} of ${retries} used, ${apart}${codes}`;
}

/**
 * When a job that has just failed is tried again by itself, Unix milliseconds; null: it is not.
 * @param end `exitCode` null: it was lost, or could not be started at all. `diagnosis` null: nobody knows why.
 */
export function retryAtMs(
  job: RetryTerms & Pick<Job, 'status'>,
  end: { readonly exitCode: number | null; readonly diagnosis: DiagnosisCode | null },
  atMs: number,
): number | null {
  const { exitCode, diagnosis } = end;
  // What was told to end stays ended, and so does what has nothing left to try.
  if (job.status === 'stopping' || exitCode === 0 || job.retried >= job.retries) return null;
  if (job.retryOn !== null || job.retryOnDiagnoses !== null) {
    const byCode = exitCode !== null && job.retryOn?.includes(exitCode);
    const byCause = diagnosis !== null && job.retryOnDiagnoses?.includes(diagnosis);
    if (!byCode && !byCause) return null;
  }
  const doubled = job.retryDelayS * 2 ** Math.min(job.retried, 30);
  const delayS = Math.min(doubled, Math.max(LONGEST_DELAY_S, job.retryDelayS));
  return Math.ceil(atMs + delayS * 1000);
}

/** `at any time: SIGUSR1, 2 min to end`; empty for a job that says nothing of it. */
export function restartText(job: Pick<Job, 'restartable' | 'checkpointSignal' | 'graceS'>): string {
  const { restartable, checkpointSignal, graceS } = job;
  const how = [
    ...(checkpointSignal === null ? [] : [`${checkpointSignal} for a checkpoint`]),
    ...(graceS === null ? [] : [`${formatDuration(graceS * 1000)} to end`]),
  ].join(', ');
  if (!restartable) return how;
  return how === '' ? 'at any time' : `at any time: ${how}`;
}
