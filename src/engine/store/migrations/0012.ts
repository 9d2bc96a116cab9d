/** Jobs may be held at a share of their speed. */
export const migration0012 = `
UPDATE jobs SET body = json_set(body, '$.throttle', NULL);
`;
