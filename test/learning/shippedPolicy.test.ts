import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../src/domain/errors.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { sanityCheck } from '../../src/learning/policyCheck.ts';
import { loadShippedPolicy, type PolicyFile } from '../../src/learning/shippedPolicy.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../src/scheduler/features.ts';
import { encodeWeights, initialWeights, type Weights, WeightsError } from '../../src/scheduler/network.ts';

const SHIPPED = resolve(import.meta.dirname, '../../resources/policy/second-wind.json');

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'stint-policy-'));
});
afterAll(async () => {
  await rm(home, { recursive: true });
});

async function withFile(content: string): Promise<string> {
  const path = join(home, 'policy.json');
  await writeFile(path, content);
  return path;
}

const base64 = (weights: Weights): string =>
  Buffer.from(encodeWeights(weights, FEATURE_NAMES)).toString('base64');

/** Q = factor · (launches anything at all). */
function launching(factor: number): Weights {
  const weights = initialWeights(seededRng(1), FEATURE_COUNT, []);
  weights.advantage.fill(0);
  weights.advantage[FEATURE_NAMES.indexOf('launch')] = factor;
  return weights;
}

describe('the shipped policy', () => {
  it('loads, is sane, and carries the record of these very weights', async () => {
    const { name, weights } = await loadShippedPolicy(SHIPPED);
    expect(name).toBe('second-wind');
    expect(weights.trunk.map(({ outputs }) => outputs)).toEqual([64, 64]);
    const file = JSON.parse(await readFile(SHIPPED, 'utf8')) as PolicyFile;
    expect(file.command).toContain('stint train');
    const judged = createHash('sha256')
      .update(Buffer.from(file.weights, 'base64'))
      .digest('hex')
      .slice(0, 12);
    expect(file).toMatchObject({ seed: expect.any(Number), evaluation: { weights: judged } });
  });

  it('is refused when absent, damaged or lazy, each with what to do', async () => {
    await expect(loadShippedPolicy(join(home, 'none.json'))).rejects.toThrow(UnavailableError);
    await expect(loadShippedPolicy(await withFile('{'))).rejects.toThrow(/not valid JSON; reinstall/);
    await expect(loadShippedPolicy(await withFile('null'))).rejects.toThrow(/lacks its name/);
    const cut = JSON.stringify({ name: 'x', weights: base64(launching(1)).slice(0, 100) });
    await expect(loadShippedPolicy(await withFile(cut))).rejects.toThrow(WeightsError);
    const lazy = JSON.stringify({ name: 'x', weights: base64(launching(-1)) });
    await expect(loadShippedPolicy(await withFile(lazy))).rejects.toThrow(/let a job wait that fits/);
  });
});

describe('sanityCheck', () => {
  it('passes weights that launch and refuses those that fail or stand still', () => {
    expect(() => sanityCheck(launching(1))).not.toThrow();
    expect(() => sanityCheck(launching(-1))).toThrow(WeightsError);
    const huge = launching(1);
    huge.advantage.fill(3e38);
    expect(() => sanityCheck(huge)).toThrow(/not finite/);
  });
});
