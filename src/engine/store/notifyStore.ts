import type { NotifyItem, NotifyRule, NotifyView } from '../../domain/notifyRule.ts';
import type { Database } from './database.ts';

/** What a rule says, and of its target what may be shown. */
export type StoredRule = NotifyRule & Pick<NotifyView, 'kind' | 'to'>;

/** An event that a rule's target is still to be told. */
export interface Waiting {
  readonly id: number;
  readonly item: NotifyItem;
}

interface RuleRow {
  readonly body: string;
  readonly created_at_ms: number;
  readonly seq: number;
  readonly attempts: number;
  readonly next_at_ms: number | null;
  readonly last_sent_at_ms: number | null;
  readonly last_error: string | null;
  readonly dropped: number;
  readonly waiting: number;
}

/** Rules of who is told of what, and the outbox: what they are still to be told. */
export function notifyStore(db: Database) {
  const insert = db.prepare<[string, string, number, number]>(
    'INSERT INTO notify_rules (name, body, created_at_ms, seq) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING',
  );
  const all = db.prepare<[], RuleRow>(
    `SELECT *, (SELECT count(*) FROM notify_outbox WHERE rule = name) AS waiting
     FROM notify_rules ORDER BY created_at_ms, name`,
  );
  const remove = db.prepare<[string]>('DELETE FROM notify_rules WHERE name = ?');
  const removeWaiting = db.prepare<[string]>('DELETE FROM notify_outbox WHERE rule = ?');
  const advance = db.prepare<[number, string]>('UPDATE notify_rules SET seq = ? WHERE name = ?');
  const queue = db.prepare<[string, number, string]>(
    'INSERT INTO notify_outbox (rule, at_ms, body) VALUES (?, ?, ?)',
  );
  const waiting = db.prepare<[string, number], { id: number; body: string }>(
    'SELECT id, body FROM notify_outbox WHERE rule = ? ORDER BY id LIMIT ?',
  );
  const told = db.prepare<[string, number]>('DELETE FROM notify_outbox WHERE rule = ? AND id <= ?');
  const worked = db.prepare<[number, string]>(
    'UPDATE notify_rules SET attempts = 0, next_at_ms = NULL, last_error = NULL, last_sent_at_ms = ? WHERE name = ?',
  );
  const failed = db.prepare<[number, string, string]>(
    'UPDATE notify_rules SET attempts = attempts + 1, next_at_ms = ?, last_error = ? WHERE name = ?',
  );
  const dropOld = db.prepare<[string, number]>('DELETE FROM notify_outbox WHERE rule = ? AND at_ms < ?');
  const dropFirst = db.prepare<[string, string, number]>(
    `DELETE FROM notify_outbox WHERE rule = ? AND id <= (
       SELECT id FROM notify_outbox WHERE rule = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
  );
  const countDropped = db.prepare<[number, string]>(
    'UPDATE notify_rules SET dropped = dropped + ? WHERE name = ?',
  );
  return {
    /** @param seq the first event that it may tell of comes after this one. @returns false if the name is taken. */
    add: (rule: StoredRule, atMs: number, seq: number): boolean =>
      insert.run(rule.name, JSON.stringify(rule), atMs, seq).changes > 0,
    /** Oldest first. */
    list: (): (NotifyView & { readonly seq: number })[] =>
      all.all().map((row) => ({
        ...(JSON.parse(row.body) as StoredRule),
        createdAtMs: row.created_at_ms,
        seq: row.seq,
        waiting: row.waiting,
        attempts: row.attempts,
        nextAtMs: row.next_at_ms,
        lastSentAtMs: row.last_sent_at_ms,
        lastError: row.last_error,
        dropped: row.dropped,
      })),
    /** @returns false if there was none of that name. */
    remove: (name: string): boolean =>
      db.transaction(() => {
        removeWaiting.run(name);
        return remove.run(name).changes > 0;
      })(),
    /**
     * Puts what a rule is to tell into the outbox and notes up to which event it has looked: both, or neither.
     * @param seq null: it has looked at no further event.
     */
    queue(name: string, items: readonly NotifyItem[], seq: number | null, most: number): void {
      db.transaction(() => {
        for (const item of items) queue.run(name, item.atMs, JSON.stringify(item));
        if (seq !== null) advance.run(seq, name);
        const dropped = items.length === 0 ? 0 : dropFirst.run(name, name, most).changes;
        if (dropped > 0) countDropped.run(dropped, name);
      })();
    },
    /** The oldest first. */
    waiting: (name: string, limit: number): Waiting[] =>
      waiting.all(name, limit).map(({ id, body }) => ({ id, item: JSON.parse(body) as NotifyItem })),
    /** Everything up to this one was told. */
    told(name: string, upToId: number, atMs: number): void {
      db.transaction(() => {
        told.run(name, upToId);
        worked.run(atMs, name);
      })();
    },
    failed: (name: string, error: string, nextAtMs: number): void => void failed.run(nextAtMs, error, name),
    /** Gives up on what happened before then. */
    dropBefore(name: string, atMs: number): number {
      return db.transaction(() => {
        const dropped = dropOld.run(name, atMs).changes;
        if (dropped > 0) countDropped.run(dropped, name);
        return dropped;
      })();
    },
  };
}
export type NotifyStore = ReturnType<typeof notifyStore>;
