/** Versions of weights are judged before they take charge, and those that were in charge are known. */
export const migration0011 = `
ALTER TABLE models ADD COLUMN promoted_at_ms INTEGER;
-- A report of the promotion gate, as JSON.
ALTER TABLE models ADD COLUMN gate TEXT;
UPDATE models SET promoted_at_ms = created_at_ms;
DELETE FROM models WHERE in_charge = 0 AND EXISTS (
  SELECT 1 FROM models AS other WHERE other.policy = models.policy AND other.version = models.version
  AND (other.in_charge > models.in_charge OR other.id > models.id));
CREATE UNIQUE INDEX models_version ON models (policy, version);
`;
