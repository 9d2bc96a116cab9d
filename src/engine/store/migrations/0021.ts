/** What was shown of when jobs start, and when they did. */
export const migration0021 = `
CREATE TABLE start_estimates (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  horizon TEXT NOT NULL,
  made_at_ms INTEGER NOT NULL,
  p10_ms INTEGER NOT NULL,
  p50_ms INTEGER NOT NULL,
  p90_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  UNIQUE (job_id, attempt, horizon)
) STRICT;
CREATE INDEX start_estimates_by_horizon ON start_estimates (horizon, id);
`;
