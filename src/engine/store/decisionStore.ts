import type { Decision } from '../../domain/decision.ts';
import type { Database } from './database.ts';

/** So many are kept, and older ones of which the learner has a transition: docs/retention.md. */
export const DECISIONS_KEPT = 20_000;
const PRUNE_EVERY = 500;

/** Every decision that was more than "nothing can be started". */
export function decisionStore(db: Database) {
  const insert = db.prepare<[number, number | null, string, number | null, string]>(
    'INSERT INTO decisions (at_ms, episode_id, policy, job_id, body) VALUES (?, ?, ?, ?, ?)',
  );
  const latest = db.prepare<[number, number], { id: number; body: string }>(
    'SELECT id, body FROM decisions WHERE id < ? ORDER BY id DESC LIMIT ?',
  );
  const latestOfJob = db.prepare<[number, number, number], { id: number; body: string }>(
    'SELECT id, body FROM decisions WHERE job_id = ? AND id < ? ORDER BY id DESC LIMIT ?',
  );
  const count = db.prepare<[string], { taken: number }>('SELECT taken FROM decision_counts WHERE policy = ?');
  const total = db.prepare<[], { n: number | null }>('SELECT sum(taken) AS n FROM decision_counts');
  // What the learner still has a transition of is needed by it; of the others none, however old the learner's latest is.
  const prune = db.prepare<[number]>(
    'DELETE FROM decisions WHERE id <= ? AND NOT EXISTS (SELECT 1 FROM transitions WHERE decision_id = decisions.id)',
  );
  return {
    /** @returns the decision with its number. */
    insert(decision: Omit<Decision, 'id'>): Decision {
      const action = decision.candidates[decision.chosen]!.action;
      const jobId = action.kind === 'wait' ? null : action.jobId;
      const { lastInsertRowid } = insert.run(
        decision.atMs,
        decision.episodeId,
        decision.policy,
        jobId,
        JSON.stringify(decision),
      );
      const id = Number(lastInsertRowid);
      if (id % PRUNE_EVERY === 0) prune.run(id - DECISIONS_KEPT);
      return { id, ...decision };
    },
    /** Latest first; those that did something with `jobId` where it is given. */
    list(limit: number, jobId?: number, beforeId: number = Number.MAX_SAFE_INTEGER): Decision[] {
      const rows =
        jobId === undefined ? latest.all(beforeId, limit) : latestOfJob.all(jobId, beforeId, limit);
      return rows.map((row) => ({ id: row.id, ...(JSON.parse(row.body) as Omit<Decision, 'id'>) }));
    },
    /** All that were ever taken, kept or not. */
    countOf: (policy: string): number => count.get(policy)?.taken ?? 0,
    count: (): number => total.get()!.n ?? 0,
  };
}
export type DecisionStore = ReturnType<typeof decisionStore>;
