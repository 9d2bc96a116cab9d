import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FieldError } from '../domain/errors.ts';
import { parseEnvFile } from '../domain/parseEnvFile.ts';
import type { Context } from './context.ts';

const FLAG = '--env-file';
/** No environment is as large as that. */
const MOST_BYTES = 1024 * 1024;

/** The variables of these files, the later ones going first. @throws {FieldError} */
export function envFromFiles(context: Context, files: readonly string[] = []): Record<string, string> {
  const all = files.map((file) => parseEnvFile(readText(resolve(context.callerDir, file)), FLAG));
  return Object.assign({}, ...all) as Record<string, string>;
}

function readText(path: string): string {
  try {
    if (statSync(path).size > MOST_BYTES) throw new FieldError(FLAG, path, 'give a file of at most 1 MiB');
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof FieldError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new FieldError(FLAG, path, `give a file that you may read (${code})`);
  }
}
