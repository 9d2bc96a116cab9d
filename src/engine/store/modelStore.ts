import type { Database } from './database.ts';

/** Versions of a policy's weights. */
export interface StoredModel {
  readonly id: number;
  readonly policy: string;
  readonly version: string;
  readonly createdAtMs: number;
  readonly source: 'shipped' | 'online';
  readonly trainSteps: number;
  readonly weights: Uint8Array;
}

const KEPT_PER_POLICY = 20;

interface Row {
  readonly id: number;
  readonly policy: string;
  readonly version: string;
  readonly created_at_ms: number;
  readonly source: 'shipped' | 'online';
  readonly train_steps: number;
  readonly weights: Buffer;
}

/** The registry of weights. Exactly one version a policy is in charge. */
export function modelStore(db: Database) {
  const demote = db.prepare<[string]>('UPDATE models SET in_charge = 0 WHERE policy = ? AND in_charge = 1');
  const insert = db.prepare<[string, string, number, string, number, Uint8Array]>(
    `INSERT INTO models (policy, version, created_at_ms, source, train_steps, in_charge, weights) VALUES (?, ?, ?, ?, ?, 1, ?)`,
  );
  const prune = db.prepare<[string, string, number]>(
    `DELETE FROM models WHERE policy = ? AND in_charge = 0 AND source <> 'shipped'
     AND id NOT IN (SELECT id FROM models WHERE policy = ? ORDER BY id DESC LIMIT ?)`,
  );
  const current = db.prepare<[string], Row>('SELECT * FROM models WHERE policy = ? AND in_charge = 1');
  return {
    /** Registers a version and puts it in charge. */
    promote(model: Omit<StoredModel, 'id'>): number {
      return db.transaction(() => {
        demote.run(model.policy);
        const { policy, version, createdAtMs, source, trainSteps, weights } = model;
        const { lastInsertRowid } = insert.run(policy, version, createdAtMs, source, trainSteps, weights);
        prune.run(policy, policy, KEPT_PER_POLICY);
        return Number(lastInsertRowid);
      })();
    },
    inCharge(policy: string): StoredModel | null {
      const row = current.get(policy);
      if (row === undefined) return null;
      return {
        id: row.id,
        policy: row.policy,
        version: row.version,
        createdAtMs: row.created_at_ms,
        source: row.source,
        trainSteps: row.train_steps,
        weights: new Uint8Array(row.weights),
      };
    },
  };
}
export type ModelStore = ReturnType<typeof modelStore>;
