/** What jobs report of their training, as series, and how far their output has been read for it. */
export const migration0004 = `
-- One row a launch, written together with the points that were read up to there.
CREATE TABLE metric_readers (
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  attempt INTEGER NOT NULL,
  -- Bytes of the log that have been read.
  read_to INTEGER NOT NULL,
  -- 1: the launch is over, and all of its log was read.
  done INTEGER NOT NULL,
  -- JSON of the domain's reader.
  state TEXT,
  PRIMARY KEY (job_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX metric_readers_open ON metric_readers (job_id, attempt) WHERE done = 0;

CREATE TABLE metric_series (
  id INTEGER PRIMARY KEY,
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  -- Points so far, of which every stride-th is kept, and how many are.
  seen INTEGER NOT NULL,
  stride INTEGER NOT NULL,
  kept INTEGER NOT NULL,
  last_at REAL NOT NULL,
  -- NULL: not a number.
  last_value REAL,
  last_at_ms INTEGER NOT NULL,
  UNIQUE (job_id, name, unit)
) STRICT;

CREATE TABLE metric_points (
  series_id INTEGER NOT NULL REFERENCES metric_series (id),
  ordinal INTEGER NOT NULL,
  at REAL NOT NULL,
  value REAL,
  PRIMARY KEY (series_id, ordinal)
) STRICT, WITHOUT ROWID;
`;
