/** Jobs of an array are found together. */
export const migration0009 = `
ALTER TABLE jobs ADD COLUMN array_id INTEGER;
CREATE INDEX jobs_array ON jobs (array_id, status, finished_at_ms) WHERE array_id IS NOT NULL;
UPDATE jobs SET body = json_set(body, '$.array', NULL);
`;
