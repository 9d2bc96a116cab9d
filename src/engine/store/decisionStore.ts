import type { Decision } from '../../domain/decision.ts';
import type { Database } from './database.ts';

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
  const count = db.prepare<[string], { n: number }>('SELECT count(*) AS n FROM decisions WHERE policy = ?');
  const total = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM decisions');
  return {
    /** @returns the decision with its number. */
    insert(decision: Omit<Decision, 'id'>): Decision {
      const action = decision.candidates[decision.chosen]!.action;
      const jobId = action.kind === 'launch' ? action.jobId : null;
      const { lastInsertRowid } = insert.run(
        decision.atMs,
        decision.episodeId,
        decision.policy,
        jobId,
        JSON.stringify(decision),
      );
      return { id: Number(lastInsertRowid), ...decision };
    },
    /** Latest first; those that started `jobId` where it is given. */
    list(limit: number, jobId?: number, beforeId: number = Number.MAX_SAFE_INTEGER): Decision[] {
      const rows =
        jobId === undefined ? latest.all(beforeId, limit) : latestOfJob.all(jobId, beforeId, limit);
      return rows.map((row) => ({ id: row.id, ...(JSON.parse(row.body) as Omit<Decision, 'id'>) }));
    },
    countOf: (policy: string): number => count.get(policy)!.n,
    count: (): number => total.get()!.n,
  };
}
export type DecisionStore = ReturnType<typeof decisionStore>;
