import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { resourcePath } from '../../src/engine/packageRoot.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { modelStore } from '../../src/engine/store/modelStore.ts';
import { loadShippedPolicy } from '../../src/learning/shippedPolicy.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../src/scheduler/features.ts';
import {
  encodeWeights,
  initialWeights,
  tensorsOf,
  type Weights,
  withTensors,
} from '../../src/scheduler/network.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const SHIPPED = resourcePath('policy', 'second-wind.json');
const base64 = (weights: Weights): string =>
  Buffer.from(encodeWeights(weights, FEATURE_NAMES)).toString('base64');

let home: string;
let stint: TestEngine;
let shipped: Awaited<ReturnType<typeof loadShippedPolicy>>;
beforeAll(async () => {
  home = temporaryHome();
  shipped = await loadShippedPolicy(SHIPPED);
  stint = await startEngine({ home, policy: 'dqn', gate: { jobsPerWorld: 30 } });
});
afterAll(async () => {
  await stint.engine.stop();
  removeHome(home);
});

const versions = async () =>
  (await stint.client.scheduler.versions()).map(({ version, inCharge }) =>
    inCharge ? `*${version}` : version,
  );
const verdictOn = async (version: string) => {
  await stint.client.scheduler.judge({ version });
  const found = await eventually(
    async () => (await stint.client.scheduler.versions()).find((one) => one.version === version),
    (one) => one?.gate != null,
    `a verdict on ${version}`,
    120_000,
  );
  return found!.gate!;
};
/** Scores that prefer what the shipped weights like least. */
const perverse = (): Weights =>
  withTensors(
    shipped.weights,
    tensorsOf(shipped.weights).map((tensor, i, all) =>
      i >= all.length - 4 ? tensor.map((x) => -x) : tensor,
    ),
  );

describe('versions of the learned policy', () => {
  it('begin with the shipped one, in charge', async () => {
    expect(await versions()).toEqual([`*${shipped.name}`]);
    await expect(stint.client.scheduler.rollBack()).rejects.toThrow('no other version was in charge before');
    await expect(stint.client.scheduler.judge({ version: shipped.name })).rejects.toThrow('is in charge');
    await expect(stint.client.scheduler.promote({ version: 'nobody' })).rejects.toThrow('no version nobody');
  });

  it('are handed on as data, and refused where they are damaged', async () => {
    const { client } = stint;
    const file = await client.scheduler.exportVersion({ version: shipped.name });
    expect(await client.scheduler.importVersion({ ...file, name: 'twin' })).toMatchObject({
      version: 'twin',
      source: 'imported',
      inCharge: false,
      gate: null,
    });
    const refused = async (name: string, weights: string): Promise<string> => {
      try {
        await client.scheduler.importVersion({ name, weights });
      } catch (error) {
        return (error as Error).message;
      }
      return 'taken';
    };
    const whole = Buffer.from(file.weights, 'base64');
    const flipped = Buffer.from(whole);
    flipped[0]! ^= 0xff;
    expect(await refused('cut', whole.subarray(0, 500).toString('base64'))).toMatch(/^weights: /);
    expect(await refused('other', flipped.toString('base64'))).toMatch(/^weights: /);
    expect(await refused('text', 'process.exit(1)')).toMatch(/^weights: .*base64/);
    expect(await refused('../up', file.weights)).toMatch(/^name: /);
    expect(await refused('twin', base64(initialWeights(seededRng(1), FEATURE_COUNT)))).toMatch(
      /^(name|weights): /,
    );
    const broken = Buffer.from(whole);
    broken.writeFloatLE(Number.NaN, broken.length - 4);
    expect(await refused('nan', broken.toString('base64'))).toMatch(/^weights: /);
    expect(await versions()).toEqual([`*${shipped.name}`, 'twin']);
  });

  it('take charge by a person’s word, also across a restart, and give way again', async () => {
    expect((await stint.client.scheduler.promote({ version: 'twin' })).policyVersion).toBe('twin');
    await stint.engine.stop();
    stint = await startEngine({ home, policy: 'dqn', gate: { jobsPerWorld: 30 } });
    expect((await stint.client.scheduler.status()).policyVersion).toBe('twin');
    expect((await stint.client.scheduler.rollBack()).policyVersion).toBe(shipped.name);
    expect((await stint.client.scheduler.rollBack()).policyVersion).toBe('twin');
    expect((await stint.client.scheduler.promote({ version: shipped.name })).policyVersion).toBe(
      shipped.name,
    );
  });

  it('do not pass the gate when they are no better', async () => {
    const report = await verdictOn('twin');
    expect(report).toMatchObject({ passed: false, against: shipped.name, ownDays: 0 });
    expect(report.standingWorlds).toBeGreaterThanOrEqual(12);
    expect(report.standings[0]).toMatchObject({ policy: shipped.name, ratio: 1, low: 1, high: 1 });
    expect(report.standings.length).toBeGreaterThan(10);
    expect((await stint.client.scheduler.status()).promotion.last).toMatchObject({
      version: 'twin',
      passed: false,
    });
  });

  it('do not reach the end of the gate when they let the machine stand still', async () => {
    await stint.engine.stop();
    const db = openDatabase(join(home, 'stint.db'));
    modelStore(db).register({
      version: 'perverse',
      source: 'online',
      createdAtMs: 1,
      trainSteps: 1,
      weights: encodeWeights(perverse(), FEATURE_NAMES),
    });
    db.close();
    stint = await startEngine({ home, policy: 'dqn', gate: { jobsPerWorld: 30 } });
    const report = await verdictOn('perverse');
    expect(report.passed).toBe(false);
    expect((await stint.client.scheduler.status()).policyVersion).toBe(shipped.name);
  });
});
