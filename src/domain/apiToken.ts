import { z } from 'zod';

/**
 * What a token may do. read: look at everything. act: also submit and control jobs, which is to run programs as the
 * owner. admin: also rules, policies and tokens.
 */
export const SCOPES = ['read', 'act', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** True if `held` includes what `needed` asks for. */
export const includesScope = (held: Scope, needed: Scope): boolean =>
  SCOPES.indexOf(held) >= SCOPES.indexOf(needed);

/** A token as it may be shown: never the token itself, which only its maker saw, once. */
export const apiTokenSchema = z.object({
  name: z
    .string('give a name')
    .regex(/^[\w.-]{1,64}$/, 'give 1 to 64 letters, digits, dots, dashes or underscores'),
  scope: z.enum(SCOPES, `choose one of ${SCOPES.join(', ')}`),
  createdAtMs: z.number(),
  /** null: never. Kept to the minute. */
  lastUsedAtMs: z.number().nullable(),
  /** null: until it is revoked. */
  expiresAtMs: z.number().nullable(),
});
export type ApiToken = z.output<typeof apiTokenSchema>;
