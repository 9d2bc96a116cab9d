/** Jobs may run from a copy of their code. */
export const migration0029 = `
UPDATE jobs SET body = json_set(body, '$.snapshot', json('false'));
`;
