import type { RewardParts } from '../../domain/reward.ts';
import type { ScoredStep } from '../../domain/scoreCalibration.ts';
import type { Database } from './database.ts';

/** A transition as stored: what is searched by in columns, the learner's own form as a blob. */
export interface StoredTransition {
  readonly decisionId: number;
  readonly episodeId: number | null;
  readonly atMs: number;
  readonly reward: number;
  readonly parts: RewardParts;
  readonly discount: number;
  readonly done: boolean;
  readonly body: Uint8Array;
}

/** As many as the learner's replay holds; older ones have been learned from. */
export const TRANSITIONS_KEPT = 20_000;
const PRUNE_EVERY = 500;
/** So many of the latest tell how right scores were. */
const SCORED = 2000;

/** What the learner learns from, across restarts. */
export function transitionStore(db: Database) {
  const insert = db.prepare<
    [number, number | null, number, number, number, number, number, number, number, Uint8Array]
  >(
    `INSERT INTO transitions (decision_id, episode_id, at_ms, reward, completion, utilisation, fairness, discount, done, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const prune = db.prepare<[number]>('DELETE FROM transitions WHERE id <= ?');
  const latest = db.prepare<[number, number], { body: Buffer }>(
    'SELECT body FROM transitions ORDER BY id DESC LIMIT ? OFFSET ?',
  );
  const count = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM transitions');
  const scored = db.prepare<[string, number], Omit<ScoredStep, 'done'> & { readonly done: number }>(
    `SELECT t.at_ms AS atMs, t.reward AS reward, t.discount AS discount, t.done AS done,
       CASE WHEN d.policy = ? THEN json_extract(d.body, '$.candidates[' || json_extract(d.body, '$.chosen') || '].score')
       END AS score
     FROM (SELECT id, decision_id, at_ms, reward, discount, done FROM transitions ORDER BY id DESC LIMIT ?) t LEFT JOIN decisions d ON d.id = t.decision_id
     ORDER BY t.id`,
  );
  return {
    insert(t: StoredTransition): void {
      const { completion, utilisation, fairness } = t.parts;
      const { lastInsertRowid } = insert.run(
        t.decisionId,
        t.episodeId,
        t.atMs,
        t.reward,
        completion,
        utilisation,
        fairness,
        t.discount,
        t.done ? 1 : 0,
        t.body,
      );
      const id = Number(lastInsertRowid);
      if (id % PRUNE_EVERY === 0) prune.run(id - TRANSITIONS_KEPT);
    },
    /** At most `limit` that are older than the newest `skip`, oldest of them first. */
    latest: (limit: number, skip: number): Uint8Array[] =>
      latest
        .all(limit, skip)
        .map(({ body }) => body)
        .reverse(),
    /** The latest steps with what a policy scored them, oldest first. */
    scored: (policy: string): ScoredStep[] =>
      scored.all(policy, SCORED).map(({ done, ...step }) => ({ ...step, done: done === 1 })),
    count: (): number => count.get()!.n,
  };
}
export type TransitionStore = ReturnType<typeof transitionStore>;
