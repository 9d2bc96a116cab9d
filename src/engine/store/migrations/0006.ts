/**
 * The history can be searched: what it is filtered by is read from the bodies into one index in the order in which it is
 * listed, and the words of a job into an index of their three-letter pieces. How many decisions a policy took is counted
 * where decisions are kept for a while only.
 */
export const migration0006 = `
ALTER TABLE jobs ADD COLUMN user TEXT GENERATED ALWAYS AS (json_extract(body, '$.user')) VIRTUAL;
ALTER TABLE jobs ADD COLUMN project TEXT GENERATED ALWAYS AS (json_extract(body, '$.project')) VIRTUAL;
ALTER TABLE jobs ADD COLUMN diagnosis TEXT GENERATED ALWAYS AS (json_extract(body, '$.diagnosis.code')) VIRTUAL;
DROP INDEX jobs_over;
CREATE INDEX jobs_over ON jobs (finished_at_ms DESC, id DESC, submitted_at_ms, status, user, project, diagnosis)
  WHERE finished_at_ms IS NOT NULL;

-- Its name and its command, as far as somebody would search in it; rowid is the job.
CREATE VIRTUAL TABLE job_text USING fts5(text, tokenize = 'trigram');
CREATE TRIGGER job_text_of AFTER INSERT ON job_events WHEN new.kind = 'submitted'
BEGIN
  INSERT INTO job_text (rowid, text) VALUES (new.job_id, substr(
    coalesce(json_extract(new.body, '$.spec.name') || char(10), '') ||
    (SELECT group_concat(value, ' ') FROM json_each(new.body, '$.spec.command')), 1, 4096));
END;
INSERT INTO job_text (rowid, text)
  SELECT job_id, substr(
    coalesce(json_extract(body, '$.spec.name') || char(10), '') ||
    (SELECT group_concat(value, ' ') FROM json_each(body, '$.spec.command')), 1, 4096)
  FROM job_events WHERE kind = 'submitted';

CREATE TABLE decision_counts (
  policy TEXT PRIMARY KEY,
  taken INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO decision_counts SELECT policy, count(*) FROM decisions GROUP BY policy;
CREATE TRIGGER decisions_are_counted AFTER INSERT ON decisions
BEGIN
  INSERT INTO decision_counts VALUES (new.policy, 1) ON CONFLICT (policy) DO UPDATE SET taken = taken + 1;
END;
-- So that forgetting a decision need not look through all transitions.
CREATE INDEX transitions_decision ON transitions (decision_id);
`;
