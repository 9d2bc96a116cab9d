import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { UnavailableError } from '../domain/errors.ts';
import { FEATURE_NAMES } from '../scheduler/features.ts';
import { decodeWeights, type Weights, WeightsError } from '../scheduler/network.ts';
import { sanityCheck } from './policyCheck.ts';

/** A trained policy as it lies in resources/policy: the weights with all that is needed to make them again. */
export interface PolicyFile {
  readonly name: string;
  /** Blob of encodeWeights in base64. */
  readonly weights: string;
  readonly seed: number;
  readonly command: string;
  /** Phases, agent settings and workload ranges of the training. */
  readonly config: unknown;
  /** Validation cost along the way. */
  readonly curve: unknown;
  /** Paired comparison with the heuristics on days that nothing was chosen by; null before it was made. */
  readonly evaluation: unknown;
}

export interface LoadedPolicy {
  readonly name: string;
  readonly weights: Weights;
}

/** What was read and checked last in this process, by its content. */
let latest: { readonly digest: string; readonly policy: LoadedPolicy } | null = null;

/**
 * Reads the shipped weights and makes sure that they fit this version and are sane.
 * @throws {UnavailableError} when the file cannot be read.
 * @throws {WeightsError} when its content is damaged, was trained on other features, or fails the sanity check.
 */
export async function loadShippedPolicy(path: string): Promise<LoadedPolicy> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new UnavailableError(
      `the shipped policy ${path} cannot be read (${code})`,
      'reinstall Stint; until then the heuristic decides',
    );
  }
  const digest = createHash('sha256').update(text).digest('hex');
  if (latest?.digest !== digest) {
    const { name, weights: base64 } = parse(text, path);
    const weights = decodeWeights(Buffer.from(base64, 'base64'), FEATURE_NAMES);
    sanityCheck(weights);
    latest = { digest, policy: { name, weights } };
  }
  return latest.policy;
}

function parse(text: string, path: string): Pick<PolicyFile, 'name' | 'weights'> {
  const remedy = `reinstall Stint to restore ${path}`;
  let file: Partial<PolicyFile> | null;
  try {
    file = JSON.parse(text) as Partial<PolicyFile> | null;
  } catch {
    throw new WeightsError('are not valid JSON', remedy);
  }
  if (typeof file?.name !== 'string' || typeof file.weights !== 'string') {
    throw new WeightsError('file lacks its name or weights', remedy);
  }
  return { name: file.name, weights: file.weights };
}
