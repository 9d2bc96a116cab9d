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
    super(`${field}: ${showValue(value)} is not usable; ${remedy}`);
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
  return error instanceof Error ? error.message : String(error);
}

/** A value as a person may be shown it: as JSON, cut to 80 characters. Never throws, whatever came over the wire. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = String(
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part)),
  );
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
