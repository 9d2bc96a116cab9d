import type { GateReport, PolicyVersion, VERSION_SOURCES } from '../../domain/policyVersion.ts';
import type { Database } from './database.ts';

/** A version of a policy's weights. */
export interface StoredModel extends PolicyVersion {
  readonly weights: Uint8Array;
}
export type NewModel = Pick<StoredModel, 'version' | 'source' | 'createdAtMs' | 'trainSteps' | 'weights'>;

/** Versions that are kept: these many of the newest, and all that were ever shipped, imported or in charge lately. */
const KEPT = 20;

interface Row {
  readonly version: string;
  readonly created_at_ms: number;
  readonly source: (typeof VERSION_SOURCES)[number];
  readonly train_steps: number;
  readonly in_charge: 0 | 1;
  readonly promoted_at_ms: number | null;
  readonly gate: string | null;
  readonly weights: Buffer;
}

const COLUMNS = 'version, created_at_ms, source, train_steps, in_charge, promoted_at_ms, gate';

/** The registry of a policy's weights. At most one version is in charge. */
export function modelStore(db: Database, policy = 'dqn') {
  const insert = db.prepare<[string, string, number, string, number, Uint8Array]>(
    `INSERT INTO models (policy, version, created_at_ms, source, train_steps, in_charge, weights) VALUES (?, ?, ?, ?, ?, 0, ?)
     ON CONFLICT (policy, version) DO UPDATE SET
       created_at_ms = excluded.created_at_ms, train_steps = excluded.train_steps, weights = excluded.weights, gate = NULL`,
  );
  const demote = db.prepare<[string]>('UPDATE models SET in_charge = 0 WHERE policy = ? AND in_charge = 1');
  const promote = db.prepare<[number, string, string]>(
    'UPDATE models SET in_charge = 1, promoted_at_ms = ? WHERE policy = ? AND version = ?',
  );
  const prune = db.prepare<[string, string, string, number]>(
    `DELETE FROM models WHERE policy = ? AND in_charge = 0 AND source = 'online'
     AND id NOT IN (SELECT id FROM models WHERE policy = ? AND promoted_at_ms IS NOT NULL ORDER BY promoted_at_ms DESC LIMIT 5)
     AND id NOT IN (SELECT id FROM models WHERE policy = ? ORDER BY id DESC LIMIT ?)`,
  );
  const current = db.prepare<[string], Row>('SELECT * FROM models WHERE policy = ? AND in_charge = 1');
  const one = db.prepare<[string, string], Row>('SELECT * FROM models WHERE policy = ? AND version = ?');
  const newest = db.prepare<[string], Row>(
    "SELECT * FROM models WHERE policy = ? AND source = 'online' ORDER BY id DESC LIMIT 1",
  );
  const before = db.prepare<[string], Row>(
    `SELECT * FROM models WHERE policy = ? AND in_charge = 0 AND promoted_at_ms IS NOT NULL
     ORDER BY promoted_at_ms DESC, id DESC LIMIT 1`,
  );
  const all = db.prepare<[string], Omit<Row, 'weights'>>(
    `SELECT ${COLUMNS} FROM models WHERE policy = ? ORDER BY in_charge DESC, id DESC`,
  );
  const judge = db.prepare<[string, string, string]>(
    'UPDATE models SET gate = ? WHERE policy = ? AND version = ?',
  );
  const full = (row: Row | undefined): StoredModel | null =>
    row === undefined ? null : { ...facts(row), weights: new Uint8Array(row.weights) };
  return {
    /** Registers a version, in charge of nothing. One of the same name is replaced. */
    register({ version, createdAtMs, source, trainSteps, weights }: NewModel): void {
      db.transaction(() => {
        insert.run(policy, version, createdAtMs, source, trainSteps, weights);
        prune.run(policy, policy, policy, KEPT);
      })();
    },
    /** Puts a registered version in charge. */
    promote(version: string, nowMs: number): void {
      db.transaction(() => {
        demote.run(policy);
        promote.run(nowMs, policy, version);
      })();
    },
    judged: (version: string, report: GateReport): void =>
      void judge.run(JSON.stringify(report), policy, version),
    inCharge: (): StoredModel | null => full(current.get(policy)),
    get: (version: string): StoredModel | null => full(one.get(policy, version)),
    /** The latest that was learned here. */
    newestLearned: (): StoredModel | null => full(newest.get(policy)),
    /** The one that was in charge before the one that is. */
    previous: (): StoredModel | null => full(before.get(policy)),
    /** The one in charge first, then the latest first. */
    list: (): PolicyVersion[] => all.all(policy).map(facts),
  };
}
export type ModelStore = ReturnType<typeof modelStore>;

function facts(row: Omit<Row, 'weights'>): PolicyVersion {
  return {
    version: row.version,
    source: row.source,
    createdAtMs: row.created_at_ms,
    trainSteps: row.train_steps,
    inCharge: row.in_charge === 1,
    promotedAtMs: row.promoted_at_ms,
    gate: row.gate === null ? null : (JSON.parse(row.gate) as GateReport),
  };
}
