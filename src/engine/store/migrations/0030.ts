/** What the driver reported of devices, kept across restarts: a broken GPU stays closed until its owner, or a restart of the machine, opens it. */
export const migration0030 = `
CREATE TABLE device_faults (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id TEXT NOT NULL,
  code INTEGER NOT NULL,
  at_ms REAL NOT NULL,
  boot_id TEXT NOT NULL,
  cleared INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX device_faults_by_device ON device_faults (device_id, id);
`;
