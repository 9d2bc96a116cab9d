import { type ExecutorConfig, executorSchema } from '../../domain/executor.ts';
import type { Database } from './database.ts';

export interface StoredExecutor {
  readonly config: ExecutorConfig;
  readonly createdAtMs: number;
}

/** Other queues that jobs may be handed over to. */
export function executorStore(db: Database) {
  const insert = db.prepare<[string, string, number]>(
    'INSERT INTO executors (name, body, created_at_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING',
  );
  const update = db.prepare<[string, string]>('UPDATE executors SET body = ? WHERE name = ?');
  const all = db.prepare<[], { body: string; created_at_ms: number }>(
    'SELECT body, created_at_ms FROM executors ORDER BY created_at_ms, name',
  );
  const remove = db.prepare<[string]>('DELETE FROM executors WHERE name = ?');
  return {
    /** @returns false if the name is taken. */
    add: (config: ExecutorConfig, atMs: number): boolean =>
      insert.run(config.name, JSON.stringify(config), atMs).changes > 0,
    set: (config: ExecutorConfig): void => void update.run(JSON.stringify(config), config.name),
    /** Oldest first. */
    list: (): StoredExecutor[] =>
      all.all().map(({ body, created_at_ms }) => ({
        config: executorSchema.parse(JSON.parse(body)),
        createdAtMs: created_at_ms,
      })),
    remove: (name: string): boolean => remove.run(name).changes > 0,
  };
}
export type ExecutorStore = ReturnType<typeof executorStore>;
