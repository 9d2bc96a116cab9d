import { FieldError } from '../domain/errors.ts';
import type { Context } from './context.ts';

/** What says something of the shell or the engine, and nothing to a job; and what a job is given anew. */
const NOT_EXPORTED = /^(_|SHLVL|PWD|OLDPWD|INIT_CWD|npm_.*|STINT_.*|CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER)$/;
const NAME = /^[A-Za-z_]\w*$/;

/**
 * The variables that `--export` lets go with a job: `ALL` of the caller's, `NONE` of them, or names separated by commas,
 * each also with a value of its own (`PATH,SEED=7`).
 * @throws {FieldError}
 */
export function exported({ env }: Pick<Context, 'env'>, list: string | undefined): Record<string, string> {
  const given: Record<string, string> = {};
  for (const part of list?.split(',') ?? []) {
    const at = part.indexOf('=');
    const name = (at < 0 ? part : part.slice(0, at)).trim();
    if (/^(none|nil)$/i.test(name)) continue;
    if (/^all$/i.test(name)) {
      for (const [key, value] of Object.entries(env)) {
        if (value !== undefined && NAME.test(key) && !NOT_EXPORTED.test(key)) given[key] = value;
      }
      continue;
    }
    if (!NAME.test(name) || name === '__proto__') {
      throw new FieldError('--export', part, 'give ALL, NONE, or names of variables, such as PATH,SEED=7');
    }
    const value = at < 0 ? env[name] : part.slice(at + 1);
    if (value === undefined) {
      throw new FieldError(
        '--export',
        name,
        'it is not set here: set it, or give it a value with NAME=VALUE',
      );
    }
    given[name] = value;
  }
  return given;
}
