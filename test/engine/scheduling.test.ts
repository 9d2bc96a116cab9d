import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeTransition } from '../../src/learning/transition.ts';
import { FEATURE_NAMES } from '../../src/scheduler/features.ts';
import { decodeWeights } from '../../src/scheduler/network.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine | null = null;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(async () => {
  await stint?.engine.stop();
  stint = null;
  removeHome(home);
});

const sh = (script: string): string[] => ['sh', '-c', script];
const query = <T>(sql: string): T[] => {
  const db = new SqliteDatabase(join(home, 'stint.db'), { readonly: true });
  try {
    return db.prepare<[], T>(sql).all();
  } finally {
    db.close();
  }
};

async function runJobs(count: number): Promise<void> {
  const ids: number[] = [];
  for (let i = 0; i < count; i++) {
    const more = { user: `user${i % 2}`, gpus: 1 + (i % 2), priority: i % 3, estimateS: 1 };
    ids.push((await stint!.submit(sh('sleep 0.1'), more)).id);
  }
  for (const id of ids) expect(await stint!.untilOver(id)).toMatchObject({ status: 'succeeded' });
  await eventually(
    () => stint!.client.scheduler.episodes({ limit: 1 }),
    ([episode]) => episode?.endedAtMs !== null,
    'the episode to end',
  );
}

describe('under dqn', () => {
  it('decides with the network, and keeps decisions, transitions and the episode', async () => {
    stint = await startEngine({ home, policy: 'dqn' });
    await runJobs(8);
    expect(stint.complaints).toEqual([]);

    const decisions = await stint.client.scheduler.decisions({ limit: 1000 });
    expect(
      decisions.every((d) => d.policy === 'dqn' && d.fallback === null && d.policyVersion !== 'none'),
    ).toBe(true);
    const asked = decisions.filter((d) => d.candidates.some((c) => c.score !== null));
    expect(asked.length).toBeGreaterThanOrEqual(8);
    for (const decision of asked) {
      const chosen = decision.candidates[decision.chosen]!;
      expect(chosen.vetoes).toEqual([]);
      expect(decision.sentence.length).toBeGreaterThan(10);
      expect(decision.exploration.epsilon).toBeGreaterThan(0);
      if (decision.exploration.explored) continue;
      const launches = decision.candidates.filter((c) => c.action.kind === 'launch' && c.score !== null);
      if (chosen.action.kind === 'launch')
        expect(chosen.score).toBe(Math.max(...launches.map((c) => c.score!)));
    }

    const [episode] = await stint.client.scheduler.episodes({ limit: 10 });
    expect(episode).toMatchObject({ jobsArrived: 8, jobsFinished: 8, policy: 'dqn', fallbacks: 0 });
    expect(episode!.decisions).toBe(decisions.length);
    expect(episode!.reward).toBeLessThan(0);
    expect(episode!.rewardParts.completion).toBeLessThan(0);
    expect(episode!.meanJctS).toBeGreaterThan(0);

    const rows = query<{ decision_id: number; reward: number; discount: number; done: number; body: Buffer }>(
      'SELECT * FROM transitions ORDER BY id',
    );
    expect(rows.length).toBe(episode!.transitions);
    expect(rows.length).toBe(asked.length);
    expect(rows.at(-1)!.done).toBe(1);
    for (const row of rows) {
      expect(row.discount > 0 && row.discount <= 1).toBe(true);
      expect(row.reward).toBeLessThanOrEqual(0);
      const transition = decodeTransition(row.body, FEATURE_NAMES);
      expect(transition.decisionId).toBe(row.decision_id);
      expect(transition.next === null).toBe(row.done === 1);
    }
    // The episode is over, so that of every scored decision all has come.
    const scored = await stint.client.scheduler.calibration();
    expect(scored).toMatchObject({ decisions: asked.length, pending: 0 });
    expect(scored.bins.reduce((sum, bin) => sum + bin.decisions, 0)).toBe(
      asked.length < 10 ? 0 : asked.length,
    );
    // Decisions at one instant: time stood still between them.
    expect(rows.some((row) => row.discount === 1 && row.reward === 0)).toBe(true);
  });

  it('learns online: what it learned is a candidate, judged by itself, and a restart goes on with it', {
    timeout: 180_000,
  }, async () => {
    const gate = { everySteps: 16, everyMs: 0, jobsPerWorld: 20 };
    stint = await startEngine({ home, policy: 'dqn', gate });
    // The gate keeps to what learning may take.
    await stint.client.scheduler.setLearning({ cpuPercent: 100 });
    await runJobs(24);
    const { learner, policyVersion } = await eventually(
      () => stint!.client.scheduler.status(),
      ({ promotion }) => promotion.last !== null,
      'a verdict on learned weights',
      120_000,
    );
    expect(learner.trouble).toBeNull();
    expect(learner.trainSteps).toBeGreaterThanOrEqual(16);
    const versions = await stint.client.scheduler.versions();
    const judged = versions.find((version) => version.gate !== null)!;
    expect(judged).toMatchObject({ source: 'online', inCharge: judged.gate!.passed });
    // Nothing takes charge that did not pass.
    expect(versions.find((version) => version.inCharge)?.version).toBe(policyVersion);
    if (!judged.gate!.passed) expect(policyVersion).not.toContain('+');
    await stint.engine.stop();
    const models = query<{ version: string; source: string; train_steps: number; weights: Buffer }>(
      'SELECT * FROM models ORDER BY id',
    );
    expect(models[0]).toMatchObject({ source: 'shipped' });
    expect(decodeWeights(models.at(-1)!.weights, FEATURE_NAMES)).not.toEqual(
      decodeWeights(models[0]!.weights, FEATURE_NAMES),
    );
    stint = await startEngine({ home, policy: 'dqn' });
    expect((await stint.client.scheduler.status()).learner.trainSteps).toBe(models.at(-1)!.train_steps);
  });

  it.each([
    ['missing', () => undefined],
    ['cut short', (path: string) => writeFileSync(path, readFileSync(shipped, 'utf8').slice(0, 5000))],
  ])('lets the heuristic decide, and says so, when the weights are %s', async (_what, spoil) => {
    const shippedPolicy = join(home, 'weights.json');
    spoil(shippedPolicy);
    stint = await startEngine({ home, policy: 'dqn', shippedPolicy });
    await runJobs(3);
    const status = await stint.client.scheduler.status();
    expect(status.fallbacks).toBeGreaterThanOrEqual(3);
    expect(status.lastFallback?.error).toMatch(/weights/);
    expect(status.learner).toMatchObject({
      state: 'off',
      trouble: expect.stringMatching(/weights|shipped policy/),
    });
    const [decision] = await stint.client.scheduler.decisions({ limit: 1 });
    expect(decision).toMatchObject({ policy: 'dqn', fallback: { failed: 'dqn' } });
    expect(decision!.sentence).toMatch(/so aged decided/);
  });
});
const shipped = join(import.meta.dirname, '..', '..', 'resources', 'policy', 'second-wind.json');

describe('policies', () => {
  it('may be the actor of a policy gradient, with the weights that ship', async () => {
    stint = await startEngine({ home, policy: 'pg' });
    await runJobs(4);
    const { policy, policyVersion, fallbacks } = await stint.client.scheduler.status();
    expect({ policy, policyVersion, fallbacks }).toEqual({ policy: 'pg', policyVersion: 'pg', fallbacks: 0 });
    const decisions = await stint.client.scheduler.decisions({ limit: 100 });
    const asked = decisions.find(({ candidates }) => candidates.some(({ score }) => score !== null));
    expect(asked).toMatchObject({ policy: 'pg', fallback: null });
  });

  it('can be changed while jobs wait, and the choice outlives a restart', async () => {
    stint = await startEngine({ home, policy: 'fifo' });
    const blocker = await stint.submit(sh('sleep 60'), { gpus: 2 });
    await stint.until(blocker.id, 'running');
    const low = await stint.submit(['true'], { gpus: 2 });
    const high = await stint.submit(['true'], { gpus: 2, priority: 9 });
    expect(await stint.client.scheduler.setPolicy({ policy: 'priority' })).toMatchObject({
      policy: 'priority',
    });
    await stint.client.jobs.cancel({ id: blocker.id });
    const [a, b] = [await stint.untilOver(high.id), await stint.untilOver(low.id)];
    expect(a.startedAtMs).toBeLessThanOrEqual(b.startedAtMs!);
    const starts = (await stint.client.scheduler.decisions({ limit: 10 })).map(
      (d) => d.candidates[d.chosen]!.action,
    );
    expect(starts.flatMap((action) => (action.kind === 'launch' ? [action.jobId] : [])).slice(0, 2)).toEqual([
      low.id,
      high.id,
    ]);
    await stint.engine.stop();
    stint = await startEngine({ home, policy: undefined });
    expect((await stint.client.scheduler.status()).policy).toBe('priority');
  });

  it('keep an episode open across a restart', async () => {
    stint = await startEngine({ home });
    const { id } = await stint.submit(sh('sleep 1'));
    await stint.until(id, 'running');
    await stint.engine.stop();
    stint = await startEngine({ home });
    await stint.untilOver(id);
    const [episode] = await eventually(
      () => stint!.client.scheduler.episodes({ limit: 5 }),
      (episodes) => episodes[0]?.endedAtMs !== null,
      'the episode to end',
    );
    expect(episode).toMatchObject({ id: 1, jobsArrived: 1, jobsFinished: 1 });
  });

  it('are kept as they stand, for a killed engine to go on with', async () => {
    stint = await startEngine({ home });
    const running: number[] = [];
    for (let i = 0; i < 3; i++) running.push((await stint.submit(sh('sleep 60'), { vramMib: 100 })).id);
    for (const id of running) await stint.until(id, 'running');
    const db = new SqliteDatabase(join(home, 'stint.db'), { readonly: true });
    const kept = (): unknown =>
      JSON.parse((db.prepare('SELECT body FROM episodes').get() as { body: string }).body);
    await eventually(
      kept,
      (episode) => JSON.stringify(episode).includes('"jobsArrived":3'),
      'the arrivals to be kept',
    );
    db.close();
    for (const id of running) await stint.client.jobs.cancel({ id });
    for (const id of running) await stint.untilOver(id);
  });
});
