/** So that jobs are found by the agent or token that submitted them: most were submitted by a person's own hand, and are not in it. */
export const migration0032 = `
CREATE INDEX job_events_submitter
  ON job_events (json_extract(deputy, '$.name'), json_extract(deputy, '$.kind'), job_id)
  WHERE kind = 'submitted' AND deputy IS NOT NULL;
`;
