/** Jobs may be kept to devices. */
export const migration0024 = `
UPDATE jobs SET body = json_set(body, '$.pinnedTo', NULL);
`;
