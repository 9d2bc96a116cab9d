import type { DiagnosisCode } from './diagnosis.ts';
import { FieldError } from './errors.ts';

/** After which ends a job is tried again: exit codes and causes of death, `1,137,gpu-memory`; given again, it adds to them. */
export interface RetryOn {
  readonly codes: readonly number[];
  readonly causes: readonly DiagnosisCode[];
}

/** @throws {FieldError} */
export function retryOn(text: string, before: RetryOn = { codes: [], causes: [] }): RetryOn {
  const words = text.split(',').map((word) => word.trim());
  const codes = words.filter((word) => /^\d{1,3}$/.test(word)).map(Number);
  const causes = words.filter((word): word is DiagnosisCode => /^[a-z][a-z-]*$/.test(word));
  if (codes.length + causes.length < words.length || codes.some((code) => code < 1 || code > 255)) {
    const remedy = 'give exit codes from 1 to 255 and causes of death, such as 1,137,gpu-memory';
    throw new FieldError('--retry-on', text, remedy);
  }
  return { codes: [...before.codes, ...codes], causes: [...before.causes, ...causes] };
}
