/** Jobs may have hooks, and limits of the kernel's. */
export const migration0019 = `
UPDATE jobs SET body = json_set(body, '$.preCommand', NULL, '$.postCommand', NULL, '$.ulimits', json('{}'));
`;
