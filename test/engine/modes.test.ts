import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Suggestion } from '../../src/domain/mode.ts';
import { decodeTransition, type Transition } from '../../src/learning/transition.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../src/scheduler/features.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine;
beforeAll(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
});
afterAll(async () => {
  await stint.engine.stop();
  removeHome(home);
  expect(stint.complaints).toEqual([]);
});
/** The machine idle, so that every decision has become a transition. */
afterEach(async () => {
  const { jobs } = await stint.client.jobs.list({
    statuses: ['queued', 'held', 'starting', 'running', 'paused', 'stopping'],
  });
  for (const { id } of jobs.reverse()) await stint.client.jobs.cancel({ id }).catch(() => undefined);
  for (const { id } of jobs) await stint.untilOver(id);
  await eventually(
    () => stint.client.scheduler.episodes({ limit: 1 }),
    ([episode]) => episode === undefined || episode.endedAtMs !== null,
    'the episode to end',
  );
});

const SLEEP = ['sleep', '600'];
const mode = (name: 'manual' | 'advise' | 'auto', thinkS = 3600) =>
  stint.client.scheduler.setMode({ mode: name, thinkS });
const suggestion = async (): Promise<Suggestion> =>
  (
    await eventually(
      () => stint.client.scheduler.status(),
      (status) => status.suggestion !== null,
      'a suggestion',
    )
  ).suggestion!;

function transitions(): Transition[] {
  const db = new SqliteDatabase(join(home, 'stint.db'), { readonly: true });
  try {
    return db
      .prepare<[], { body: Buffer }>('SELECT body FROM transitions ORDER BY id')
      .all()
      .map(({ body }) => decodeTransition(body, FEATURE_NAMES));
  } finally {
    db.close();
  }
}

/** What stood to choose, and whether it was done: the value of a feature in every row of a transition. */
const column = ({ state }: Transition, name: string): number[] =>
  Array.from(
    { length: state.rows },
    (_, row) => state.features[row * FEATURE_COUNT + FEATURE_NAMES.indexOf(name)]!,
  );

const untilIdleTransition = (is: (all: readonly Transition[]) => boolean, what: string) =>
  eventually(transitions, is, what);

/** fifo would start the first, aged the second; both need the whole machine. */
async function disagreement(): Promise<{ first: number; second: number }> {
  const blocker = await stint.submit(SLEEP, { gpus: 2 });
  await stint.until(blocker.id, 'running');
  const first = await stint.submit(SLEEP, { gpus: 2 });
  const second = await stint.submit(SLEEP, { gpus: 2, priority: 9 });
  await stint.client.jobs.cancel({ id: blocker.id });
  return { first: first.id, second: second.id };
}

describe('manual', () => {
  it('starts nothing but what a person starts, where that person says', async () => {
    await mode('manual');
    const { id } = await stint.submit(SLEEP, { vramMib: 1000 });
    await eventually(
      () => stint.client.jobs.get({ id }),
      ({ waitingReason }) => waitingReason === `fits now, and waits for a person: stint start ${id}`,
      'the reason to be that nobody started it',
    );
    const started = await stint.client.jobs.start({ id, deviceIds: ['virtual-1'] });
    expect(started).toMatchObject({ status: 'running', devices: ['virtual-1'] });
    const [event] = (await stint.client.jobs.events({ id })).filter(({ event: e }) => e.kind === 'launching');
    expect(event!.actor).toBe('person');
    const [decision] = await stint.client.scheduler.decisions({ jobId: id, limit: 1 });
    expect(decision).toMatchObject({ policy: 'person' });
    expect(decision!.candidates[decision!.chosen]!.action).toEqual({
      kind: 'launch',
      jobId: id,
      deviceIds: ['virtual-1'],
    });
    expect(decision!.sentence).toContain(`started #${id} on GPU 1`);
  });

  it('refuses what the rules about room forbid, and says which', async () => {
    await mode('manual');
    const { client } = stint;
    const whole = await stint.submit(SLEEP, { gpus: 2, vramMib: 8000 });
    await client.jobs.start({ id: whole.id });
    const { id } = await stint.submit(SLEEP, { vramMib: 1000 });
    await expect(client.jobs.start({ id })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/cannot start now: GPU memory: needs 1000 MiB/),
    });
    const wrong: readonly [object, object][] = [
      [{ deviceIds: ['gpu-9'] }, { code: 'NOT_FOUND', data: { what: 'device', id: 'gpu-9' } }],
      [
        { deviceIds: ['virtual-0', 'virtual-1'] },
        {
          code: 'BAD_REQUEST',
          data: { field: 'deviceIds', remedy: expect.stringContaining('needs so many') },
        },
      ],
      [{ deviceIds: [] }, { code: 'BAD_REQUEST', data: { field: 'deviceIds' } }],
    ];
    for (const [input, error] of wrong) {
      await expect(client.jobs.start({ id, ...input })).rejects.toMatchObject(error);
    }
    await expect(client.jobs.start({ id: whole.id })).rejects.toMatchObject({ code: 'CONFLICT' });
    await client.jobs.hold({ id });
    await expect(client.jobs.start({ id })).rejects.toMatchObject({
      message: `job ${id} is held; release it first: stint release ${id}`,
    });
    const later = await stint.submit(SLEEP, {
      beginAtMs: Date.now() + 3_600_000,
    });
    await expect(client.jobs.start({ id: later.id })).rejects.toMatchObject({
      message: expect.stringMatching(/cannot start yet: is to start at/),
    });
    expect(await client.jobs.get({ id })).toMatchObject({ status: 'held', attempt: 0 });
  });

  it('keeps a job to a device whatever else is free, and starts it there or, once let go, anywhere', async () => {
    await mode('auto');
    const { client } = stint;
    const holder = await stint.submit(SLEEP, { vramMib: null });
    await stint.until(holder.id, 'running');
    const { devices } = await client.jobs.get({ id: holder.id });
    const { id } = await stint.submit(SLEEP, { vramMib: null, hold: true });
    expect(await client.jobs.pin({ id, deviceIds: devices })).toMatchObject({ pinnedTo: devices });
    await client.jobs.release({ id });
    await eventually(
      () => client.jobs.get({ id }),
      ({ waitingReason }) => /not for it, you keep it to GPU \d$/.test(waitingReason ?? ''),
      'the reason to be that it is kept elsewhere',
    );
    const free = (await client.devices.list()).map((device) => device.id).find((one) => one !== devices[0])!;
    await expect(client.jobs.start({ id, deviceIds: [free] })).rejects.toMatchObject({ code: 'CONFLICT' });
    await client.jobs.pin({ id, deviceIds: null });
    await stint.until(id, 'running');
    expect((await client.jobs.get({ id })).devices).toEqual([free]);
    await expect(client.jobs.pin({ id, deviceIds: [free] })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(client.jobs.pin({ id, deviceIds: ['gpu-9'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('remembers what people did as something to imitate', async () => {
    await mode('manual');
    const before = transitions().filter(({ demonstrated }) => demonstrated).length;
    const [a, b] = [await stint.submit(SLEEP, { vramMib: 500 }), await stint.submit(SLEEP, { vramMib: 500 })];
    await stint.client.jobs.start({ id: b.id });
    await stint.client.jobs.start({ id: a.id });
    await stint.client.jobs.pause({ id: a.id });
    await stint.client.jobs.resume({ id: a.id });
    for (const { id } of [a, b]) await stint.client.jobs.cancel({ id });
    const shown = (
      await untilIdleTransition(
        (all) => all.filter(({ demonstrated }) => demonstrated).length === before + 3,
        'three demonstrations',
      )
    ).filter(({ demonstrated }) => demonstrated);
    const done = shown
      .slice(-3)
      .map((one) => [column(one, 'launch')[one.chosen], column(one, 'pause')[one.chosen]]);
    expect(done).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('advise', () => {
  it('has done what a person accepts', async () => {
    const { accepted } = (await mode('advise')).suggested;
    const { first, second } = await disagreement();
    const { id, policy, action, heuristicAction, actsAtMs } = await suggestion();
    expect([policy, action, heuristicAction]).toMatchObject([
      'fifo',
      { kind: 'launch', jobId: first },
      { kind: 'launch', jobId: second },
    ]);
    expect(actsAtMs).toBeGreaterThan(Date.now());
    expect((await stint.client.jobs.get({ id: first })).waitingReason).toMatch(
      /is suggested: stint policy accept/,
    );
    await expect(stint.client.scheduler.accept({ id: id + 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
    const status = await stint.client.scheduler.accept({ id });
    expect(status).toMatchObject({ suggestion: null, suggested: { accepted: accepted + 1 } });
    expect(status.agreement).toBeLessThan(1);
    await stint.until(first, 'running');
    const [decision] = await stint.client.scheduler.decisions({ jobId: first, limit: 1 });
    expect(decision).toMatchObject({
      policy: 'person',
      advice: { policy: 'fifo', action: { kind: 'launch', jobId: first } },
      heuristicAction: { kind: 'launch', jobId: second },
    });
    expect((await stint.client.jobs.get({ id: second })).status).toBe('queued');
  });

  it('has the heuristic act at once where a person overrules', async () => {
    const { overruled } = (await mode('advise')).suggested;
    const { second } = await disagreement();
    await suggestion();
    expect(await stint.client.scheduler.overrule({})).toMatchObject({
      suggestion: null,
      suggested: { overruled: overruled + 1 },
    });
    await stint.until(second, 'running');
  });

  it('has the heuristic act by itself when the time is over', async () => {
    const { lapsed } = (await mode('advise', 0)).suggested;
    const { second } = await disagreement();
    await stint.until(second, 'running');
    const [decision] = await stint.client.scheduler.decisions({ jobId: second, limit: 1 });
    expect(decision).toMatchObject({
      policy: 'aged',
      advice: { policy: 'fifo', action: { kind: 'launch' } },
    });
    const { suggested, agreement } = await stint.client.scheduler.status();
    expect(suggested.lapsed).toBeGreaterThan(lapsed);
    expect(agreement).toBeLessThan(1);
  });

  it('takes it for an answer when a person starts something else, and suggests to wait as well', async () => {
    await mode('advise');
    const blocker = await stint.submit(SLEEP);
    await stint.until(blocker.id, 'running');
    const wide = await stint.submit(SLEEP, { gpus: 2 });
    const small = await stint.submit(SLEEP);
    const waiting = await suggestion();
    expect([waiting.action.kind, waiting.heuristicAction]).toMatchObject(['wait', { jobId: small.id }]);
    const { accepted, overruled } = (await stint.client.scheduler.accept({ id: waiting.id })).suggested;
    expect(await stint.client.scheduler.status()).toMatchObject({ suggestion: null });
    expect((await stint.client.jobs.get({ id: small.id })).status).toBe('queued');
    const third = await stint.submit(SLEEP);
    await suggestion();
    await stint.client.jobs.start({ id: third.id });
    expect((await stint.client.scheduler.status()).suggested).toMatchObject({
      accepted,
      overruled: overruled + 1,
    });
    for (const { id } of [wide, small]) expect((await stint.client.jobs.get({ id })).status).toBe('queued');
  });

  it('outlives a restart, and what stood then does not', async () => {
    await mode('advise', 1234);
    const { first, second } = await disagreement();
    const before = await suggestion();
    await stint.engine.stop();
    stint = await startEngine({ home });
    expect(await stint.client.scheduler.status()).toMatchObject({ mode: 'advise', thinkS: 1234 });
    expect((await suggestion()).id).toBeGreaterThan(before.id);
    for (const id of [first, second]) expect((await stint.client.jobs.get({ id })).status).toBe('queued');
    await mode('auto');
    await stint.until(first, 'running');
  });
});

describe('auto', () => {
  it('learns from decisions in which somebody could have given way, and from a priority that a person gave', async () => {
    await stint.engine.stop();
    stint = await startEngine({ home, policy: 'dqn' });
    await mode('auto');
    await stint.client.scheduler.setGiveWay({ minSpellS: 0 });
    const before = transitions().length;
    const running = [
      await stint.submit(SLEEP, { restartable: true }),
      await stint.submit(SLEEP, { restartable: true }),
    ];
    for (const { id } of running) await stint.until(id, 'running');
    const waiting = [await stint.submit(SLEEP), await stint.submit(SLEEP)];
    await eventually(
      () => stint.client.scheduler.decisions({ limit: 20 }),
      (all) => all.some(({ candidates }) => candidates.some(({ action }) => action.kind === 'preempt')),
      'a decision in which a job could give way',
    );
    await stint.client.jobs.prioritise({ id: waiting[1]!.id, priority: 50 });
    for (const { id } of running) await stint.client.jobs.cancel({ id }).catch(() => undefined);
    await stint.until(waiting[1]!.id, 'running');
    for (const { id } of [...running, ...waiting])
      await stint.client.jobs.cancel({ id }).catch(() => undefined);
    await untilIdleTransition((all) => {
      const fresh = all.slice(before);
      return (
        fresh.some((one) => column(one, 'preempt').includes(1)) &&
        fresh.some(({ demonstrated }) => demonstrated)
      );
    }, 'a transition with a preemption, and a demonstration');
  });
});
