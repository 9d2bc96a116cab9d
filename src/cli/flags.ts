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

const oneId = integer('job id', 1, Number.MAX_SAFE_INTEGER);
export const jobId = (text: string): number => oneId(text);
export const jobIds = (text: string, before: readonly number[] = []): number[] => [...before, jobId(text)];
