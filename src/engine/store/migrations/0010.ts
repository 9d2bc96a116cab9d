/** What was learned of commands, and readings in three resolutions instead of one. */
export const migration0010 = `
-- The most memory that a run of a command took on a GPU, of its latest runs.
CREATE TABLE command_peaks (
  kind TEXT NOT NULL,
  -- JOB/ATTEMPT
  run TEXT NOT NULL,
  peak_mib REAL NOT NULL,
  grew_at_ms INTEGER NOT NULL,
  out_of_memory INTEGER NOT NULL,
  PRIMARY KEY (kind, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX command_peaks_age ON command_peaks (grew_at_ms);

-- Progress of jobs of one kind, alone (beside is empty) or beside one other kind.
CREATE TABLE command_paces (
  kind TEXT NOT NULL,
  beside TEXT NOT NULL,
  fraction REAL NOT NULL,
  seconds REAL NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, beside)
) STRICT, WITHOUT ROWID;

-- Means over a stretch that begins at at_ms; NULL is unknown, never 0.
CREATE TABLE sample_means (
  -- 60 s or 900 s
  step_s INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  memory_used_mib REAL,
  utilisation REAL,
  temperature_c REAL,
  power_w REAL,
  power_limit_w REAL,
  sm_clock_mhz REAL,
  PRIMARY KEY (step_s, device_id, at_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX sample_means_age ON sample_means (step_s, at_ms);
`;
