/** What the code of a submission (its job, or the first of its array) was: the same is kept once. `diff` is gzipped. */
export const migration0027 = `
CREATE TABLE code_records (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL,
  diff BLOB
);
CREATE TABLE job_code (
  submission_id INTEGER PRIMARY KEY REFERENCES jobs (id),
  record_id INTEGER NOT NULL REFERENCES code_records (id),
  at_ms INTEGER NOT NULL
) WITHOUT ROWID;
`;
