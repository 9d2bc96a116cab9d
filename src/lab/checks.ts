import { FieldError } from '../domain/errors.ts';

/** @throws {FieldError} naming the flag and what there is, for anything else. */
export function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value);
  if (found !== undefined) return found;
  throw new FieldError(flag, value, `choose one of ${known.join(', ')}`);
}

/** @throws {FieldError} naming the flag and the limits, for anything but a whole number between them. */
export function wholeFrom(flag: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new FieldError(flag, value, `give a whole number from ${least} to ${most}`);
}
