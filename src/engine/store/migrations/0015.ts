/** What a policy suggested while the heuristic acted, and what became of it; `outcome` is null while it stands. */
export const migration0015 = `
CREATE TABLE suggestions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  policy TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  action TEXT NOT NULL,
  heuristic_action TEXT NOT NULL,
  acts_at_ms INTEGER,
  outcome TEXT CHECK (outcome IN ('accepted', 'overruled', 'lapsed', 'gone')),
  ended_at_ms INTEGER
) STRICT;
CREATE INDEX suggestions_outcome ON suggestions (outcome);
`;
