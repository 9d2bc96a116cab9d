/** Submissions that are kept under a name. `body`: what is kept, as JSON. */
export const migration0022 = `
CREATE TABLE templates (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  saved_at_ms INTEGER NOT NULL
) STRICT;
`;
