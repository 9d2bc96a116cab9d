/** Tokens for programs that speak to the engine over HTTP. `hash`: SHA-256 of the token, hexadecimal. */
export const migration0013 = `
CREATE TABLE api_tokens (
  name TEXT PRIMARY KEY,
  scope TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER,
  expires_at_ms INTEGER
) STRICT;
`;
