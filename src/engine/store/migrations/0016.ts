/** What older jobs have of secrets in their records is taken out at the next start; a new database has none. */
export const migration0016 = `
INSERT INTO settings SELECT 'secret-sweep', 'due' WHERE EXISTS (SELECT 1 FROM jobs);
`;
