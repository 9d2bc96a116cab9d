import { readFileSync, statSync } from 'node:fs';
import { FieldError, messageOf } from '../domain/errors.ts';
import { parseSequences } from '../simulator/deeprm/sequences.ts';
import type { DeeprmSequence } from '../simulator/deeprm/world.ts';

/** A thousand times what 100 episodes of 50 steps take: nothing that is meant. */
const LARGEST_BYTES = 64 * 2 ** 20;

/**
 * Reads DeepRM's job sequences from a file.
 * @throws {FieldError} naming the place in the file, such as `len[0][3]`, and not the file.
 */
export function readSequences(file: string): DeeprmSequence[] {
  const text = readText(file);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    const remedy = `give JSON with the fields len and size (${messageOf(error)})`;
    throw new FieldError('content', text.slice(0, 80), remedy);
  }
  return parseSequences(content);
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size <= LARGEST_BYTES) return readFileSync(file, 'utf8');
    throw new FieldError('size in bytes', size, `give a file of at most ${LARGEST_BYTES} bytes`);
  } catch (error) {
    if (error instanceof FieldError) throw error;
    throw new FieldError('content', undefined, `give a file that can be read (${messageOf(error)})`);
  }
}
