/** How learning goes, by the steps of the weights that learn now. */
export const migration0018 = `
CREATE TABLE learning_curve (
  train_steps INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  loss REAL NOT NULL,
  epsilon REAL,
  agreement REAL
) STRICT;
`;
