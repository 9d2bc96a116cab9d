import { readFileSync, statSync } from 'node:fs';
import { FieldError, messageOf } from '../domain/errors.ts';
import { decodeWeights, type Weights } from '../scheduler/network.ts';
import { DEEPRM_FEATURES } from '../simulator/deeprm/features.ts';
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

/**
 * The weights of `dqn` in DeepRM's world.
 * @throws {FieldError} naming the field `policy` when they cannot be used.
 */
export function readDeeprmWeights(file: string): Weights {
  try {
    const { weights } = JSON.parse(readFileSync(file, 'utf8')) as { weights: string };
    return decodeWeights(Buffer.from(weights, 'base64'), DEEPRM_FEATURES);
  } catch (error) {
    throw new FieldError('policy', 'dqn', `leave it out, or mend its weights (${messageOf(error)})`);
  }
}
