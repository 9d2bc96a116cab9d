/** Jobs may run in a Python environment. */
export const migration0020 = `
UPDATE jobs SET body = json_set(body, '$.venv', NULL, '$.conda', NULL);
`;
