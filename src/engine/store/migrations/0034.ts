/** Jobs may have tags, and those that are over are found by them. */
export const migration0034 = `
UPDATE jobs SET body = json_set(body, '$.tags', json('[]'));
CREATE TABLE job_tags (
  tag TEXT NOT NULL,
  job_id INTEGER NOT NULL,
  PRIMARY KEY (tag, job_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER job_tags_of AFTER INSERT ON job_events WHEN new.kind = 'submitted'
BEGIN
  INSERT OR IGNORE INTO job_tags (tag, job_id)
    SELECT value, new.job_id FROM json_each(new.body, '$.spec.tags');
END;
`;
