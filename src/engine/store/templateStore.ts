import { type Template, templateSchema } from '../../domain/template.ts';
import type { Database } from './database.ts';

interface TemplateRow {
  readonly name: string;
  readonly body: string;
  readonly saved_at_ms: number;
}

/** Submissions that are kept under a name. */
export function templateStore(db: Database) {
  const all = db.prepare<[], TemplateRow>('SELECT * FROM templates ORDER BY name COLLATE NOCASE, name');
  const one = db.prepare<[string], TemplateRow>('SELECT * FROM templates WHERE name = ?');
  const count = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM templates');
  const put = db.prepare<[string, string, number]>('INSERT OR REPLACE INTO templates VALUES (?, ?, ?)');
  const rename = db.prepare<[string, string]>('UPDATE templates SET name = ? WHERE name = ?');
  const remove = db.prepare<[string]>('DELETE FROM templates WHERE name = ?');
  return {
    list: (): Template[] => all.all().map(templateOf),
    get(name: string): Template | null {
      const row = one.get(name);
      return row === undefined ? null : templateOf(row);
    },
    count: (): number => count.get()!.n,
    put: ({ name, spec, sweep, savedAtMs }: Template): void =>
      void put.run(name, JSON.stringify({ spec, sweep }), savedAtMs),
    rename: (name: string, to: string): void => void rename.run(to, name),
    remove: (name: string): void => void remove.run(name),
  };
}
export type TemplateStore = ReturnType<typeof templateStore>;

// What an older Stint did not know has its default.
const templateOf = ({ name, body, saved_at_ms }: TemplateRow): Template =>
  templateSchema.parse({ name, savedAtMs: saved_at_ms, ...(JSON.parse(body) as object) });
