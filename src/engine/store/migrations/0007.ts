/** Jobs say how often they gave way, who made them stand still and how, and since when they are as they are. */
export const migration0007 = `
UPDATE jobs SET body = json_set(
  body,
  '$.preemptions', 0,
  '$.earlierGpuS', 0,
  '$.pausedBy', CASE status WHEN 'paused' THEN 'person' END,
  '$.pauseMethod', CASE status WHEN 'paused' THEN 'signals' END,
  '$.changedAtMs', CASE WHEN status IN ('running', 'paused', 'stopping') AND body ->> '$.startedAtMs' IS NOT NULL THEN (
    SELECT at_ms FROM job_events
    WHERE job_id = jobs.id AND kind IN ('started', 'paused', 'resumed') ORDER BY seq DESC LIMIT 1
  ) END
);
`;
