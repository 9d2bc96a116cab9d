import { createHash, randomBytes } from 'node:crypto';
import type { ApiToken, Scope } from '../../domain/apiToken.ts';
import { ConflictError, FieldError, NotFoundError } from '../../domain/errors.ts';
import type { Clock } from '../ports.ts';
import type { TokenStore } from '../store/tokenStore.ts';

/** Last use is shown to the minute: a scrape every few seconds is no reason to write to disk. */
const USE_STEP_MS = 60_000;

export interface NewToken {
  readonly name: string;
  readonly scope: Scope;
  readonly expiresAtMs: number | null;
}

/** Who may speak to the engine over HTTP, beside the console. */
export class Tokens {
  readonly #store: TokenStore;
  readonly #clock: Clock;

  constructor(store: TokenStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * @returns the token, 256 random bits: nobody can be told it again.
   * @throws {ConflictError} if the name is taken. @throws {FieldError} if it would be over already.
   */
  create({ name, scope, expiresAtMs }: NewToken): { readonly token: string; readonly about: ApiToken } {
    const createdAtMs = this.#clock.nowMs();
    if (expiresAtMs !== null && expiresAtMs <= createdAtMs) {
      throw new FieldError('expiresAtMs', expiresAtMs, 'give a time that is still to come');
    }
    const token = `stint_${randomBytes(32).toString('base64url')}`;
    const about: ApiToken = { name, scope, createdAtMs, lastUsedAtMs: null, expiresAtMs };
    if (!this.#store.add(hashOf(token), about)) {
      throw new ConflictError(
        `there is a token named ${name} already`,
        `choose another name, or revoke that one first with \`stint token revoke ${name}\``,
      );
    }
    return { token, about };
  }

  list(): ApiToken[] {
    return this.#store.list();
  }

  /** It is refused from now on. @throws {NotFoundError} */
  revoke(name: string): void {
    if (!this.#store.remove(name)) throw new NotFoundError('token', name, '`stint token ls` lists them');
  }

  /** Whose token it is; null: nobody's, or it is over. The digest is looked up, so timing tells nothing of the token. */
  admit(token: string): ApiToken | null {
    const found = this.#store.find(hashOf(token));
    const nowMs = this.#clock.nowMs();
    if (found === null || (found.expiresAtMs !== null && found.expiresAtMs <= nowMs)) return null;
    // Also after the clock was set back.
    if (found.lastUsedAtMs === null || Math.abs(nowMs - found.lastUsedAtMs) >= USE_STEP_MS) {
      this.#store.used(found.name, nowMs);
    }
    return found;
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
