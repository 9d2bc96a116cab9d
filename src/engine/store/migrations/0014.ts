/** The output of a job may be wanted elsewhere as well. */
export const migration0014 = `
UPDATE jobs SET body = json_set(body, '$.outputPath', NULL);
`;
