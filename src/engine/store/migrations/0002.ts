/**
 * Jobs have terms: what is not over, and what was, is given the ones that it had without saying so. Events stay as
 * they are; folding them fills in the same (`domain/lifecycle`).
 */
export const migration0002 = `
UPDATE jobs SET body = json_set(
  body,
  '$.beginAtMs', NULL,
  '$.timeLimitS', NULL,
  '$.retries', 0,
  '$.retryDelayS', 30,
  '$.retryOn', NULL,
  '$.after', json('[]'),
  '$.retried', 0,
  '$.retryWait', NULL,
  '$.readyAtMs', coalesce(
    (SELECT at_ms FROM job_events WHERE job_id = jobs.id AND kind = 'released' ORDER BY seq DESC LIMIT 1),
    submitted_at_ms
  ),
  '$.runClock', NULL
);
`;
