/** Of an event that a person caused: the agent or the token that acted for that person, as JSON. */
export const migration0026 = `
ALTER TABLE job_events ADD COLUMN deputy TEXT;
`;
