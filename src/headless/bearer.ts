import type { IncomingMessage } from 'node:http';
import { ORPCError } from '@orpc/server';
import { scopeOf } from '../contract/scopes.ts';
import { type ApiToken, includesScope } from '../domain/apiToken.ts';
import type { Tokens } from '../engine/server/tokens.ts';
import { Allowance } from './allowance.ts';

/** A script that waits for jobs by asking ten times a second is well within this; a loop gone wild is not. */
const PER_TOKEN = { burst: 200, perS: 50 };
/** Wrong tokens, of everybody together. Those who hold a right one are never in this line. */
const WRONG = { burst: 20, perS: 0.5 };
/** Names of tokens whose allowance is kept; beyond, the longest unused is forgotten. */
const MOST_ALLOWANCES = 256;

/** Why somebody is not let in. */
export interface Refusal {
  readonly status: 401 | 429;
  readonly sentence: string;
  /** Whole seconds; null: trying again does not help. */
  readonly retryAfterS: number | null;
}

export type Admission = { readonly token: ApiToken } | { readonly refusal: Refusal };

export interface Bearers {
  /** Whether a request's `Authorization: Bearer TOKEN` opens something now. Each call counts. */
  admit(request: Pick<IncomingMessage, 'headers'>): Admission;
  /** Whether a wrong guess, of a token of another kind too, is still answered as one. */
  wrong(): Refusal | null;
}

/** Who shows a token, how often they may, and how many wrong ones are listened to. */
export function createBearers(tokens: Pick<Tokens, 'admit'>): Bearers {
  const guesses = new Allowance(WRONG);
  const allowances = new Map<string, Allowance>();
  const allowanceOf = (name: string): Allowance => {
    const kept = allowances.get(name) ?? new Allowance(PER_TOKEN);
    allowances.delete(name);
    allowances.set(name, kept);
    if (allowances.size > MOST_ALLOWANCES) allowances.delete(allowances.keys().next().value!);
    return kept;
  };
  const wrong = (): Refusal | null => (guesses.take() ? null : later('Too many wrong tokens.', guesses));
  return {
    wrong,
    admit(request) {
      const given = /^Bearer +([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
      const token = given === undefined ? null : tokens.admit(given);
      if (token === null) {
        const sentence = 'Send a token as `Authorization: Bearer TOKEN`; `stint token create` makes one.';
        return { refusal: wrong() ?? { status: 401, sentence, retryAfterS: null } };
      }
      const allowance = allowanceOf(token.name);
      if (!allowance.take()) return { refusal: later('Too many requests with this token.', allowance) };
      return { token };
    },
  };
}

function later(problem: string, allowance: Allowance): Refusal {
  const retryAfterS = allowance.waitS();
  return { status: 429, sentence: `${problem} Try again in ${retryAfterS} s.`, retryAfterS };
}

/** @throws {ORPCError} FORBIDDEN, unless the token's scope is enough for the procedure. */
export function requireScope(token: ApiToken, path: readonly string[]): void {
  const needed = scopeOf(path);
  if (includesScope(token.scope, needed)) return;
  throw new ORPCError('FORBIDDEN', {
    message: `${path.join('.')} needs a token of scope ${needed}; ${token.name} is of ${token.scope}`,
  });
}

/**
 * The check that a connection makes before each call: the token may have been revoked or have ended since it was opened.
 * @throws {ORPCError} from it.
 */
export function callGuard(bearers: Bearers, request: IncomingMessage): (path: readonly string[]) => void {
  return (path) => {
    const admission = bearers.admit(request);
    if ('token' in admission) return requireScope(admission.token, path);
    const { status, sentence } = admission.refusal;
    throw new ORPCError(status === 429 ? 'TOO_MANY_REQUESTS' : 'UNAUTHORIZED', { message: sentence });
  };
}
