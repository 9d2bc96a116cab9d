/** The first schema. Bodies are JSON of the domain's types; columns beside them are what is searched by. */
export const migration0001 = `
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  status TEXT NOT NULL,
  rank REAL NOT NULL,
  submitted_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER,
  -- What a stopping job will be called; part of the fold, see domain/lifecycle.
  stopping_as TEXT,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_over ON jobs (finished_at_ms DESC, id DESC);
CREATE INDEX jobs_status ON jobs (status, rank);

CREATE TABLE job_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX job_events_job ON job_events (job_id, seq);
CREATE TRIGGER job_events_are_facts BEFORE UPDATE ON job_events
BEGIN SELECT RAISE(ABORT, 'job events are appended, never changed'); END;
CREATE TRIGGER job_events_stay BEFORE DELETE ON job_events
BEGIN SELECT RAISE(ABORT, 'job events are appended, never deleted'); END;

CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  bus_index INTEGER NOT NULL,
  memory_total_mib REAL NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- NULL is unknown, never 0.
CREATE TABLE samples (
  device_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  memory_used_mib REAL,
  utilisation REAL,
  temperature_c REAL,
  power_w REAL,
  power_limit_w REAL,
  sm_clock_mhz REAL,
  PRIMARY KEY (device_id, at_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX samples_age ON samples (at_ms);

-- Who was where, for the timeline.
CREATE TABLE allocations (
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  attempt INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER,
  PRIMARY KEY (job_id, attempt, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX allocations_end ON allocations (end_ms);

CREATE TABLE episodes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  episode_id INTEGER REFERENCES episodes (id),
  policy TEXT NOT NULL,
  -- The job that the chosen candidate starts; NULL when it waits.
  job_id INTEGER,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_job ON decisions (job_id, id);

CREATE TABLE transitions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  decision_id INTEGER NOT NULL REFERENCES decisions (id),
  episode_id INTEGER REFERENCES episodes (id),
  at_ms INTEGER NOT NULL,
  -- Σ w_k r_k with the weights of its time, and the components themselves.
  reward REAL NOT NULL,
  completion REAL NOT NULL,
  utilisation REAL NOT NULL,
  fairness REAL NOT NULL,
  discount REAL NOT NULL,
  done INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX transitions_episode ON transitions (episode_id);

CREATE TABLE models (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  policy TEXT NOT NULL,
  version TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- 'shipped' or 'online'.
  source TEXT NOT NULL,
  train_steps INTEGER NOT NULL,
  in_charge INTEGER NOT NULL,
  weights BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX models_in_charge ON models (policy) WHERE in_charge = 1;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
