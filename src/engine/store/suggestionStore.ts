import type { Suggestion, SuggestionCounts, SuggestionOutcome } from '../../domain/mode.ts';
import type { Database } from './database.ts';

/** So many are kept: docs/retention.md. */
export const SUGGESTIONS_KEPT = 10_000;
const PRUNE_EVERY = 200;

/** Suggestions and what became of them. */
export function suggestionStore(db: Database) {
  const insert = db.prepare<[number, string, string, string, string, number | null]>(
    `INSERT INTO suggestions (at_ms, policy, policy_version, action, heuristic_action, acts_at_ms)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const prune = db.prepare<[number]>('DELETE FROM suggestions WHERE id <= ? AND outcome IS NOT NULL');
  const end = db.prepare<[string, number, number]>(
    'UPDATE suggestions SET outcome = ?, ended_at_ms = ? WHERE id = ? AND outcome IS NULL',
  );
  const endAll = db.prepare<[number]>(
    "UPDATE suggestions SET outcome = 'gone', ended_at_ms = ? WHERE outcome IS NULL",
  );
  const counts = db.prepare<[], { outcome: SuggestionOutcome; n: number }>(
    'SELECT outcome, count(*) AS n FROM suggestions WHERE outcome IS NOT NULL GROUP BY outcome',
  );
  return {
    /** @returns it with its number. */
    insert(suggestion: Omit<Suggestion, 'id'>): Suggestion {
      const { atMs, policy, policyVersion, action, heuristicAction, actsAtMs } = suggestion;
      const { lastInsertRowid } = insert.run(
        atMs,
        policy,
        policyVersion,
        JSON.stringify(action),
        JSON.stringify(heuristicAction),
        actsAtMs,
      );
      const id = Number(lastInsertRowid);
      if (id % PRUNE_EVERY === 0) prune.run(id - SUGGESTIONS_KEPT);
      return { id, ...suggestion };
    },
    end: (id: number, outcome: SuggestionOutcome, atMs: number): void => void end.run(outcome, atMs, id),
    /** Those that a killed engine left standing. */
    endAll: (atMs: number): void => void endAll.run(atMs),
    counts(): SuggestionCounts {
      const found = new Map(counts.all().map(({ outcome, n }) => [outcome, n]));
      const of = (outcome: SuggestionOutcome): number => found.get(outcome) ?? 0;
      return { accepted: of('accepted'), overruled: of('overruled'), lapsed: of('lapsed') };
    },
  };
}
export type SuggestionStore = ReturnType<typeof suggestionStore>;
