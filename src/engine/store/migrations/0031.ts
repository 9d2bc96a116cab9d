/**
 * Submissions whose code is still to be recorded: written with the submission itself and taken away with the record, so that
 * an engine that was killed in between makes it up.
 */
export const migration0031 = `
CREATE TABLE code_due (
  submission_id INTEGER PRIMARY KEY REFERENCES jobs (id)
) WITHOUT ROWID;
`;
