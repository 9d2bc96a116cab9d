/** Jobs may run in another queue. */
export const migration0025 = `
UPDATE jobs SET body = json_set(body, '$.executor', NULL, '$.executorOptions', json('[]'), '$.remote', NULL);
CREATE TABLE executors (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  created_at_ms REAL NOT NULL
) STRICT;
`;
