import { isSecretValue, type OwnNames, SECRET, secretArguments, withoutSecrets } from './secrets.ts';

/**
 * Errors that a person can act on. Each kind says what was wrong and what to do next; the boundary turns them
 * into the contract's errors, and anything that is not one of these is a defect.
 */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly field: string;
  readonly value: unknown;
  readonly remedy: string;

  constructor(field: string, value: unknown, remedy: string) {
    super(`${showField(field)}: ${showValue(value, field)} is not usable; ${remedy}`);
    this.field = field;
    this.value = value;
    this.remedy = remedy;
  }
}

/** What was asked for does not exist. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
  readonly what: string;
  readonly id: string;
  readonly remedy: string;

  constructor(what: string, id: string | number, remedy: string) {
    super(`no ${what} ${id}; ${remedy}`);
    this.what = what;
    this.id = String(id);
    this.remedy = remedy;
  }
}

/** The request is well-formed, but the thing is not in a state that allows it. Nothing was changed. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(`${problem}; ${remedy}`);
    this.remedy = remedy;
  }
}

/** A part of Stint that is needed for the request is not working at the moment. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(`${problem}; ${remedy}`);
    this.remedy = remedy;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return replacedTrouble(error)?.message ?? (error instanceof Error ? error.message : String(error));
}

/** What it means that a module which is loaded only when it is asked for is gone; null: it is something else. */
export function replacedTrouble(error: unknown): UnavailableError | null {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) return null;
  return new UnavailableError(
    'Stint was updated or removed while this program ran, and what it needs for this is gone',
    'start the engine again; jobs run on',
  );
}

const LONGEST_FIELD = 200;
/** A value is shown in 80 characters: so many of a text, and so many parts of the whole, are more than enough. */
const SHOWN_CHARACTERS = 80;
const LOOKED_AT_CHARACTERS = 4096;
const LOOKED_AT_PARTS = 200;

/** Marks that would move a cursor, hide or reorder text, as JSON writes the first of them. */
const spelt = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (mark) => `\\u${mark.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );

/** A field as a person may be shown it: names that come over the wire may be anything. */
export const showField = (field: string): string => {
  const plain = spelt(withoutSecrets(field.slice(0, LOOKED_AT_CHARACTERS)));
  return plain.length > LONGEST_FIELD ? `${plain.slice(0, LONGEST_FIELD - 1)}…` : plain;
};

/**
 * A value as a person may be shown it: as JSON, cut to 80 characters, without secrets. Never throws, whatever came over the
 * wire.
 * @param field what it was given for: its last part may say that it is a secret.
 */
export function showValue(value: unknown, field = '', own: OwnNames = null): string {
  if (value === undefined) return 'nothing';
  const name = field.slice(-LOOKED_AT_CHARACTERS).split('.').at(-1)!;
  if (isSecretValue(name, typeof value === 'string' ? value : '(other)', own)) return SECRET;
  let parts = LOOKED_AT_PARTS;
  const hidden = new Map<unknown, ReadonlySet<number>>();
  const json = String(
    JSON.stringify(value, function (this: unknown, key: string, part: unknown) {
      if (parts-- < 0) return undefined;
      if (typeof part === 'bigint') return String(part);
      if (Array.isArray(part)) hidden.set(part, secretArguments(part.slice(0, LOOKED_AT_PARTS), own));
      if (typeof part !== 'string') return part;
      if (hidden.get(this)?.has(Number(key)) || isSecretValue(key, part, own)) return SECRET;
      return withoutSecrets(part.slice(0, LOOKED_AT_CHARACTERS), own);
    }),
  );
  const text = spelt(json.slice(0, LOOKED_AT_CHARACTERS));
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 3)}…` : text;
}
