/** What the owner wants of each device: rules, processes not to mind, reservations; and since when others' processes are idle. */
export const migration0008 = `
-- JSON of the domain's DeviceRules; no row: the defaults.
CREATE TABLE device_rules (
  device_id TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ignored_processes (
  device_id TEXT NOT NULL,
  pid INTEGER NOT NULL,
  start_time TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  command TEXT,
  PRIMARY KEY (device_id, pid, start_time, boot_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_reservations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  user TEXT NOT NULL,
  others TEXT NOT NULL
) STRICT;

CREATE TABLE idle_processes (
  pid INTEGER NOT NULL,
  start_time TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  -- Processor time that it had used by then, to see whether it worked while nobody looked.
  cpu_s REAL NOT NULL,
  PRIMARY KEY (pid, start_time, boot_id)
) STRICT, WITHOUT ROWID;
`;
