import { type ApiToken, apiTokenSchema } from '../../domain/apiToken.ts';
import type { Database } from './database.ts';

interface TokenRow {
  readonly name: string;
  readonly scope: string;
  readonly created_at_ms: number;
  readonly last_used_at_ms: number | null;
  readonly expires_at_ms: number | null;
}

/** Tokens of the HTTP interface, by the SHA-256 of each: the tokens themselves are nowhere. */
export function tokenStore(db: Database) {
  const insert = db.prepare<[string, string, string, number, number | null]>(
    'INSERT INTO api_tokens VALUES (?, ?, ?, ?, NULL, ?) ON CONFLICT (name) DO NOTHING',
  );
  const all = db.prepare<[], TokenRow>('SELECT * FROM api_tokens ORDER BY created_at_ms, name');
  const byHash = db.prepare<[string], TokenRow>('SELECT * FROM api_tokens WHERE hash = ?');
  const remove = db.prepare<[string]>('DELETE FROM api_tokens WHERE name = ?');
  const used = db.prepare<[number, string]>('UPDATE api_tokens SET last_used_at_ms = ? WHERE name = ?');
  return {
    /** @returns false if the name is taken; nothing was changed then. */
    add: (hash: string, { name, scope, createdAtMs, expiresAtMs }: ApiToken): boolean =>
      insert.run(name, scope, hash, createdAtMs, expiresAtMs).changes > 0,
    /** Oldest first. */
    list: (): ApiToken[] => all.all().map(tokenOf),
    find(hash: string): ApiToken | null {
      const row = byHash.get(hash);
      return row === undefined ? null : tokenOf(row);
    },
    /** @returns false if there was none of that name. */
    remove: (name: string): boolean => remove.run(name).changes > 0,
    used: (name: string, atMs: number): void => void used.run(atMs, name),
  };
}
export type TokenStore = ReturnType<typeof tokenStore>;

const tokenOf = (row: TokenRow): ApiToken =>
  apiTokenSchema.parse({
    name: row.name,
    scope: row.scope,
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
    expiresAtMs: row.expires_at_ms,
  });
