import { expect, it } from 'vitest';
import { lateDiagnosis, missedText, urgentSinceMs } from '../../src/domain/deadline.ts';

const HOUR_MS = 3_600_000;
const job = { deadlineAtMs: 10 * HOUR_MS, submittedAtMs: 0, timeLimitS: null, finishedAtMs: null };

it('a job becomes urgent when the longest that it may well take is all that is left', () => {
  expect(urgentSinceMs(job, 7200, 0)).toBe(8 * HOUR_MS);
  // It cannot take longer than it may.
  expect(urgentSinceMs({ ...job, timeLimitS: 3600 }, 7200, 0)).toBe(9 * HOUR_MS);
  expect(urgentSinceMs({ ...job, timeLimitS: 3600 }, null, 0)).toBe(9 * HOUR_MS);
});

it('of one that nobody knows anything of, half of its time is left', () => {
  expect(urgentSinceMs({ ...job, submittedAtMs: 2 * HOUR_MS }, null, 0)).toBe(6 * HOUR_MS);
});

it('what has no deadline, or missed it, is not urgent', () => {
  expect(urgentSinceMs({ ...job, deadlineAtMs: null }, 1, 0)).toBeNull();
  expect(urgentSinceMs(job, 1, 10 * HOUR_MS)).toBeNull();
});

it('a deadline is missed by the end, or by now for a job that has none yet', () => {
  expect(missedText(job, 12 * HOUR_MS)).toBe('missed its deadline by 2 h');
  expect(missedText({ ...job, finishedAtMs: 9 * HOUR_MS }, 12 * HOUR_MS)).toBeNull();
  expect(missedText({ ...job, deadlineAtMs: null }, 12 * HOUR_MS)).toBeNull();
  expect(lateDiagnosis(job, 9 * HOUR_MS)).toBeNull();
  expect(lateDiagnosis(job, 11 * HOUR_MS)).toMatchObject({ code: 'deadline', line: null });
});
