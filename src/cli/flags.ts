import type { Yield } from '../domain/deviceRules.ts';
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

/** Any number that is not negative. */
export const number =
  (flag: string) =>
  (text: string): number => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) throw new FieldError(flag, text, 'give a number');
    return value;
  };

/** What running jobs may be made to do by a rule. */
export const YIELDS: readonly Yield[] = ['off', 'throttle', 'pause'];
export const YIELD_HELP = 'off, throttle or pause';

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

/** Collects `--env K=V`, given as often as needed. */
export function assignment(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new FieldError('--env', text, 'give NAME=VALUE, such as --env OMP_NUM_THREADS=4');
  // Objects of JavaScript have no room for it: it would get lost on its way.
  if (text.startsWith('__proto__=')) throw new FieldError('--env', text, 'choose another name');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `0` or `0,1`. */
export function deviceIndices(text: string): number[] {
  return text.split(',').map((part) => integer('--on', 0, 1023)(part.trim()));
}

/** Numbers of GPUs; null for `anywhere`. */
export const pinnedTo = (text: string): number[] | null =>
  text === 'anywhere' ? null : text.split(',').map((part) => integer('GPUS', 0, 1023)(part.trim()));

const oneId = integer('job id', 1, Number.MAX_SAFE_INTEGER);
export const jobId = (text: string): number => oneId(text);
export const jobIds = (text: string, before: readonly number[] = []): number[] => [...before, jobId(text)];
