/** Jobs say why they died. What was over before that had no diagnosis, and gets none after the fact. */
export const migration0003 = `
UPDATE jobs SET body = json_set(body, '$.diagnosis', NULL);
`;
