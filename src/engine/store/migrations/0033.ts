/** When each figure was read, so that curves can be laid beside readings of GPUs; null: before this was kept. */
export const migration0033 = `
ALTER TABLE metric_points ADD COLUMN at_ms REAL;
`;
