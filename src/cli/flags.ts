import type { DiagnosisCode } from '../domain/diagnosis.ts';
import { FieldError } from '../domain/errors.ts';
import { parseDurationS, parseMemoryMib } from '../domain/units.ts';

/** Readers of flag values. Each names the flag, the value and the remedy when it cannot use it. */
export const integer =
  (flag: string, least: number, most: number) =>
  (text: string): number => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new FieldError(flag, text, `give a whole number from ${least} to ${most}`);
    }
    return value;
  };

/** One of these words. */
export const oneOf =
  <T extends string>(flag: string, choices: readonly T[]) =>
  (text: string): T => {
    const chosen = choices.find((choice) => choice === text);
    if (chosen === undefined) throw new FieldError(flag, text, `choose from ${choices.join(', ')}`);
    return chosen;
  };

export const yesOrNo =
  (flag: string) =>
  (text: string): boolean => {
    if (text !== 'yes' && text !== 'no') throw new FieldError(flag, text, 'give yes or no');
    return text === 'yes';
  };

/** `40%`; null for `off`. */
export function throttleShare(text: string): number | null {
  if (text === 'off') return null;
  const percent = /^\d{1,2}(\.\d+)?\s*%?$/.test(text) ? Number.parseFloat(text) : 0;
  if (percent < 1 || percent > 99) throw new FieldError('share', text, 'give 1% to 99%, or off');
  return percent / 100;
}

export const memory = (flag: string) => (text: string) => parseMemoryMib(text, flag);

export const duration = (flag: string) => (text: string) => parseDurationS(text, flag);

/** After which ends a job is tried again: exit codes and causes of death, `1,137,gpu-memory`; given again, it adds to them. */
export interface RetryOn {
  readonly codes: readonly number[];
  readonly causes: readonly DiagnosisCode[];
}

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

/** `USR1`, `sigusr1` and `SIGUSR1` are one. Which there are is the contract's to say. */
export const signalName = (text: string): string => {
  const name = text.trim().toUpperCase();
  return name.startsWith('SIG') ? name : `SIG${name}`;
};

/** Collects `--env K=V`, given as often as needed. */
export function assignment(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new FieldError('--env', text, 'give NAME=VALUE, such as --env OMP_NUM_THREADS=4');
  // Objects of JavaScript have no room for it: it would get lost on its way.
  if (text.startsWith('__proto__=')) throw new FieldError('--env', text, 'choose another name');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

const oneId = integer('job id', 1, Number.MAX_SAFE_INTEGER);
export const jobId = (text: string): number => oneId(text);
export const jobIds = (text: string, before: readonly number[] = []): number[] => [...before, jobId(text)];
