/** Jobs say by when they should be over, how few GPUs they can do with, and whether they can be stopped and go on. */
export const migration0005 = `
UPDATE jobs SET body = json_set(
  body,
  '$.retryOnDiagnoses', NULL,
  '$.deadlineAtMs', NULL,
  '$.minGpus', NULL,
  '$.gpuShare', NULL,
  '$.restartable', json('false'),
  '$.checkpointSignal', NULL,
  '$.graceS', NULL
);
`;
