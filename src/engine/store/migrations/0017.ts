/**
 * Who is told of what, and what they are still to be told. `seq`: events of jobs up to this one were looked at. Addresses
 * and secrets are not in here but in files of their owner's.
 */
export const migration0017 = `
CREATE TABLE notify_rules (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at_ms INTEGER,
  last_sent_at_ms INTEGER,
  last_error TEXT,
  dropped INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE notify_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule TEXT NOT NULL REFERENCES notify_rules (name) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX notify_outbox_by_rule ON notify_outbox (rule, id);
`;
