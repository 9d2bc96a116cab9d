import type { Database } from './database.ts';

/** Small choices of the owner that outlive a restart. */
export function settingStore(db: Database) {
  const read = db.prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?');
  const write = db.prepare<[string, string]>(
    'INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  return {
    get: (key: string): string | null => read.get(key)?.value ?? null,
    set: (key: string, value: string): void => void write.run(key, value),
  };
}
export type SettingStore = ReturnType<typeof settingStore>;
