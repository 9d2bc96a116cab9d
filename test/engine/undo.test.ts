import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { UNDO_WINDOW_MS } from '../../src/engine/jobs/undo.ts';
import { systemClock } from '../../src/engine/ports.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine;
let laterMs = 0;
/** As long as it runs nothing else can: every job here waits. */
let blocker: number;
beforeAll(async () => {
  home = temporaryHome();
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + laterMs };
  stint = await startEngine({ home, clock });
  blocker = (await stint.submit(['sleep', '600'], { gpus: 2 })).id;
  await stint.until(blocker, 'running');
});
afterEach(() => {
  laterMs = 0;
});
afterAll(async () => {
  await stint.client.jobs.cancel({ id: blocker });
  await stint.untilOver(blocker);
  await stint.engine.stop();
  removeHome(home);
});

const wait = (more: object = {}) => stint.submit(['true'], { gpus: 2, ...more });
const status = async (...ids: number[]) =>
  Promise.all(ids.map(async (id) => (await stint.client.jobs.get({ id })).status));
const after = (jobId: number, on: 'ok' | 'any' | 'not-ok' = 'ok') => ({ after: [{ jobId, on }] });

it('gives a cancelled job its place, its priority and its hold back, and tells it', async () => {
  const { client } = stint;
  const first = await wait({ priority: 2 });
  const second = await wait({ hold: true });
  await client.jobs.move({ id: second.id, beforeId: first.id });
  const before = [await client.jobs.get({ id: first.id }), await client.jobs.get({ id: second.id })];
  for (const { id } of before) await client.jobs.cancel({ id });
  expect(await status(first.id, second.id)).toEqual(['cancelled', 'cancelled']);
  laterMs = UNDO_WINDOW_MS / 2;
  for (const { id } of before) await client.jobs.undo({ id });
  for (const job of before)
    expect(await client.jobs.get({ id: job.id })).toEqual({ ...job, waitingReason: expect.any(String) });
  const kinds = (await client.jobs.events({ id: first.id })).map(({ event }) => event.kind);
  expect(kinds).toEqual(['submitted', 'withdrawn', 'undone']);
  for (const { id } of before) await client.jobs.cancel({ id });
});

it('puts back what was cancelled because of it, and that because of this, but nothing that a person cancelled', async () => {
  const { client } = stint;
  const a = (await wait()).id;
  const b = (await wait(after(a))).id;
  const c = (await wait(after(b))).id;
  const d = (await wait(after(a))).id;
  const e = (
    await wait({
      after: [
        { jobId: a, on: 'ok' },
        { jobId: d, on: 'ok' },
      ],
    })
  ).id;
  await client.jobs.cancel({ id: d });
  await eventually(
    () => status(e),
    ([of]) => of === 'cancelled',
    'e to be cancelled',
  );
  await client.jobs.cancel({ id: a });
  await eventually(
    () => status(b, c),
    (of) => of.every((one) => one === 'cancelled'),
    'b and c to be cancelled',
  );
  await expect(client.jobs.undo({ id: b })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining(`job ${b} was cancelled because #${a} is cancelled`),
  });
  await client.jobs.undo({ id: a });
  expect(await status(a, b, c, d, e)).toEqual(['queued', 'queued', 'queued', 'cancelled', 'cancelled']);
  await client.jobs.undo({ id: d });
  expect(await status(d, e)).toEqual(['queued', 'queued']);
  await client.jobs.cancel({ id: a });
});

it('puts back those of an array that were cancelled together, within its limit', async () => {
  const { client } = stint;
  const spec = { command: ['true'], cwd: '/tmp', user: 'ada', gpus: 2 };
  const { id, ids } = await client.arrays.submit({
    spec,
    members: [{ index: 0 }, { index: 1 }, { index: 2 }],
    atMost: 1,
  });
  await client.jobs.cancel({ id: ids[2]! });
  await client.arrays.cancel({ id });
  expect(await client.arrays.undo({ id })).toEqual({ ids: [ids[0], ids[1]] });
  expect(await status(...ids)).toEqual(['queued', 'queued', 'cancelled']);
  expect(await client.jobs.get({ id: ids[0]! })).toMatchObject({ array: { atMost: 1 } });
  expect(await client.arrays.undo({ id })).toEqual({ ids: [ids[2]] });
  await expect(client.arrays.undo({ id })).rejects.toMatchObject({ code: 'CONFLICT' });
  await client.arrays.cancel({ id });
});

it('refuses what would not be right any more, says why, and changes nothing', async () => {
  const { client } = stint;
  const refused = async (id: number, message: RegExp) => {
    const before = await client.jobs.get({ id });
    await expect(client.jobs.undo({ id })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(message),
    });
    expect(await client.jobs.get({ id })).toEqual(before);
  };
  await refused(blocker, /is running/);
  const late = (await wait()).id;
  await client.jobs.cancel({ id: late });
  laterMs = UNDO_WINDOW_MS + 60_000;
  await refused(late, new RegExp(`ago, which can be undone for 1 h; stint retry ${late} puts it back`));
  laterMs = 0;
  const again = (await wait()).id;
  await client.jobs.cancel({ id: again });
  await client.jobs.retry({ id: again });
  await client.jobs.cancel({ id: again });
  await client.jobs.undo({ id: again });
  expect(await status(again)).toEqual(['queued']);

  const cause = (await wait()).id;
  const effect = (await stint.submit(['true'], { gpus: 0, ...after(cause, 'not-ok') })).id;
  await client.jobs.cancel({ id: cause });
  await stint.untilOver(effect);
  await refused(cause, new RegExp(`job ${effect} has started since, because #${cause} was cancelled`));

  const ran = (await stint.submit(['sleep', '600'], { gpus: 0 })).id;
  await stint.until(ran, 'running');
  await client.jobs.cancel({ id: ran });
  await stint.untilOver(ran);
  await refused(ran, /ran when it was cancelled/);
});

it('puts a moved job back where it was, move by move, and says when there is none', async () => {
  const { client } = stint;
  const ids: number[] = [];
  for (let i = 0; i < 3; i++) ids.push((await wait()).id);
  const [a, b, c] = ids as [number, number, number];
  const order = async () =>
    (await client.jobs.list({ statuses: ['queued', 'held'] })).jobs
      .map(({ id }) => id)
      .filter((id) => ids.includes(id));
  const before = await client.jobs.get({ id: c });
  await client.jobs.move({ id: c, beforeId: b });
  await client.jobs.move({ id: c, beforeId: a });
  expect(await order()).toEqual([c, a, b]);
  // What else was done to it stays.
  await client.jobs.prioritise({ id: c, priority: 3 });
  expect(await client.jobs.undo({ id: c })).toMatchObject({ moved: true, priority: 3 });
  expect(await order()).toEqual([a, c, b]);
  // Not that undo, but the move before.
  await client.jobs.undo({ id: c });
  expect(await client.jobs.get({ id: c })).toEqual({
    ...before,
    priority: 3,
    waitingReason: expect.any(String),
  });
  await expect(client.jobs.undo({ id: c })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining(`job ${c} waits and was not moved`),
  });
  await client.jobs.move({ id: c, beforeId: a });
  laterMs = UNDO_WINDOW_MS + 1000;
  await expect(client.jobs.undo({ id: c })).rejects.toThrow(
    /was moved 1 h .*ago, which can be undone for 1 h/,
  );
  expect(await order()).toEqual([c, a, b]);
  laterMs = 0;
  // A cancel is taken back first, and it is where it was moved to.
  await client.jobs.cancel({ id: c });
  await client.jobs.undo({ id: c });
  expect(await order()).toEqual([c, a, b]);
  await client.jobs.undo({ id: c });
  expect(await order()).toEqual([a, b, c]);
  for (const id of ids) await client.jobs.cancel({ id });
});
