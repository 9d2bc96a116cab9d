/**
 * What the GPUs of each attempt of a job drew while it had them, and for how many GPU-seconds that was measured; and by how
 * much what was shown of a job's start had been stretched.
 */
export const migration0023 = `
CREATE TABLE job_energy (
  job_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  joules REAL NOT NULL,
  measured_gpu_s REAL NOT NULL,
  PRIMARY KEY (job_id, attempt)
) STRICT, WITHOUT ROWID;
ALTER TABLE start_estimates ADD COLUMN stretch REAL NOT NULL DEFAULT 1;
`;
