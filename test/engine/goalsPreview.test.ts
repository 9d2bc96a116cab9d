import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PreviewMessage } from '../../src/domain/goalsPreview.ts';
import type { ReplayMessage } from '../../src/domain/pastReplay.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine;
beforeAll(async () => {
  home = temporaryHome();
  stint = await startEngine({ home, policy: 'dqn' });
  for (let i = 0; i < 3; i++) {
    const { id } = await stint.submit(['true'], { gpus: 1 });
    await stint.untilOver(id);
  }
});
afterAll(async () => {
  await stint.engine.stop();
  removeHome(home);
  expect(stint.complaints).toEqual([]);
});

describe('a preview of other goals', () => {
  it('replays what ran under both, one at a time, and sets nothing', async () => {
    const { client } = stint;
    const told: PreviewMessage[] = [];
    const stream = await client.goals.preview({ goals: { fairness: 2 } });
    told.push((await stream.next()).value as PreviewMessage);
    const second = client.goals.preview({ goals: { fairness: 1 } });
    await expect(second.then((other) => other.next())).rejects.toMatchObject({ code: 'CONFLICT' });
    for await (const message of stream) told.push(message);
    expect(told[0]).toEqual({ type: 'progress', fraction: 0 });
    const last = told.at(-1)!;
    if (last.type !== 'preview') throw new Error('it ended without a result');
    expect(last.preview).toMatchObject({ policy: 'dqn', heeds: true, jobs: 3, gpus: 2 });
    expect(last.preview.instead.goals).toEqual({ ...last.preview.now.goals, fairness: 2 });
    expect((await client.scheduler.status()).goals).toEqual(last.preview.now.goals);
  });

  it('ends when whoever asked goes, and leaves room for the next', async () => {
    const gone = new AbortController();
    const stream = await stint.client.goals.preview({ goals: { fairness: 2 } }, { signal: gone.signal });
    expect((await stream.next()).value).toEqual({ type: 'progress', fraction: 0 });
    gone.abort();
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow();
    const next = await stint.client.goals.preview({ goals: { fairness: 2 } });
    expect((await next.next()).value).toMatchObject({ type: 'progress' });
    await next.return?.(undefined);
  });
});

describe('a replay of the record', () => {
  it('has what happened, each policy, and what it cannot know; no two of them run at once', async () => {
    const { client } = stint;
    const told: ReplayMessage[] = [];
    const policies = ['first-fit', 'dqn', 'srtf'];
    const stream = await client.history.replay({ fromMs: 0, policies });
    told.push((await stream.next()).value as ReplayMessage);
    const preview = client.goals.preview({ goals: { fairness: 1 } });
    await expect(preview.then((other) => other.next())).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('another replay is under way'),
    });
    for await (const message of stream) told.push(message);
    expect(told[0]).toEqual({ type: 'progress', fraction: 0 });
    const last = told.at(-1)!;
    if (last.type !== 'replay') throw new Error('it ended without a result');
    const { replay } = last;
    expect(replay).toMatchObject({ jobs: 3, gpus: 2, inCharge: { dqn: 3 } });
    expect(replay.rows.map(({ policy, clairvoyant }) => [policy, clairvoyant])).toEqual([
      ['as it was', false],
      ['first-fit', false],
      ['dqn', false],
      ['srtf', true],
    ]);
    expect(replay.rows[0]!.meanCompletionChange).toBeNull();
    expect(replay.rows[1]!.meanCompletionS).toBeGreaterThan(0);
    expect(replay.limits.join(' ')).toContain('arrivals are as recorded');
  });

  it('refuses a machine on which nothing of it fits, naming the field', async () => {
    const { id } = await stint.submit(['true'], { gpus: 2 });
    const { readyAtMs } = await stint.untilOver(id);
    const wide = stint.client.history.replay({ fromMs: readyAtMs, gpus: 1, policies: ['fifo'] });
    const all = async (): Promise<void> => {
      for await (const _ of await wide);
    };
    await expect(all()).rejects.toMatchObject({ code: 'BAD_REQUEST', data: { field: 'gpus' } });
  });
});
