import { ORPCError, ValidationError } from '@orpc/server';
import {
  ConflictError,
  FieldError,
  messageOf,
  NotFoundError,
  replacedTrouble,
  showField,
  showValue,
  UnavailableError,
} from '../../domain/errors.ts';
import { type OwnNames, SECRET, secretArguments } from '../../domain/secrets.ts';
import type { Log } from '../ports.ts';
import { storageTrouble } from '../store/storageTrouble.ts';

/**
 * The contract's error for anything that was thrown. What is not one of the domain's errors is a defect: it is
 * logged with its stack, and the client hears only that the engine's log has it.
 * @param own names of variables that the owner calls secret.
 */
export function contractError(error: unknown, input: unknown, log: Log, own: OwnNames = null): unknown {
  if (error instanceof FieldError) {
    return badRequest(error.field, showValue(error.value, error.field, own), error.remedy);
  }
  if (error instanceof NotFoundError) {
    return defined('NOT_FOUND', 404, error.message, { what: error.what, id: error.id, remedy: error.remedy });
  }
  if (error instanceof ConflictError)
    return defined('CONFLICT', 409, error.message, { remedy: error.remedy });
  const unavailable =
    error instanceof UnavailableError ? error : (replacedTrouble(error) ?? storageTrouble(error));
  if (unavailable !== null) {
    return defined('SERVICE_UNAVAILABLE', 503, unavailable.message, { remedy: unavailable.remedy });
  }
  if (error instanceof ORPCError) {
    return error.code === 'BAD_REQUEST' && error.cause instanceof ValidationError
      ? validationError(error.cause, input, own)
      : error;
  }
  if (error instanceof Error && error.name === 'AbortError') return error;
  log.error('a request failed', {
    error: messageOf(error),
    stack: error instanceof Error ? error.stack : undefined,
  });
  return new ORPCError('INTERNAL_SERVER_ERROR', {
    message: 'the engine made a mistake, which its log describes',
  });
}

function validationError(cause: ValidationError, input: unknown, own: OwnNames): ORPCError<string, unknown> {
  const issue = cause.issues[0];
  const path = (issue?.path ?? []).map((part) =>
    typeof part === 'object' ? part.key : part,
  ) as PropertyKey[];
  const unknown = unrecognised(issue);
  const whole = [...path, ...(unknown === null ? [] : [unknown])];
  const field = whole.map(String).join('.') || 'request';
  const remedy =
    unknown === null ? (issue?.message ?? 'see the contract') : 'leave it out: there is no such field';
  const within = whole.slice(0, -1).reduce(member, input);
  const hidden = Array.isArray(within) && secretArguments(within, own).has(Number(whole.at(-1)));
  return badRequest(field, hidden ? SECRET : showValue(whole.reduce(member, input), field, own), remedy);
}

function badRequest(field: string, value: string, remedy: string): ORPCError<string, unknown> {
  const shown = showField(field);
  return defined('BAD_REQUEST', 400, `${shown}: ${value} is not usable; ${remedy}`, {
    field: shown,
    value,
    remedy,
  });
}

/** zod names unknown keys beside the path, not in it. */
function unrecognised(issue: unknown): string | null {
  const keys = (issue as { code?: string; keys?: string[] } | undefined)?.keys;
  return keys?.[0] ?? null;
}

function member(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

function defined(code: string, status: number, message: string, data: unknown): ORPCError<string, unknown> {
  return new ORPCError(code, { defined: true, status, message, data });
}
