import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Job } from '../../src/domain/job.ts';
import { MOST_REMEMBERED, ServiceHistory } from '../../src/engine/scheduling/serviceHistory.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { historyStore } from '../../src/engine/store/historyStore.ts';
import { removeHome, startEngine, temporaryHome } from './support/testEngine.ts';

it('remembers what jobs took that ended by themselves, across a restart', async () => {
  const home = temporaryHome();
  const stint = await startEngine({ home, devices: 'virtual:2', policy: 'qssf' });
  try {
    const short = await stint.submit(['sleep', '0.2'], { gpus: 1 });
    const wide = await stint.submit(['sh', '-c', 'sleep 0.3; exit 3'], { gpus: 2 });
    const bare = await stint.submit(['true'], { gpus: 0 });
    for (const { id } of [short, wide, bare]) await stint.untilOver(id);
    const ended = await stint.submit(['sleep', '60'], { gpus: 1 });
    await stint.client.jobs.cancel({ id: ended.id });
    await stint.untilOver(ended.id);
  } finally {
    await stint.engine.stop();
  }
  const db = openDatabase(join(home, 'stint.db'));
  try {
    const { gpuSeconds } = new ServiceHistory(historyStore(db).latest(10));
    expect(gpuSeconds).toHaveLength(2);
    expect(gpuSeconds[0]).toBeGreaterThanOrEqual(0.2);
    expect(gpuSeconds[1]).toBeGreaterThanOrEqual(0.6);
    expect(gpuSeconds[0]).toBeLessThan(gpuSeconds[1]!);
  } finally {
    db.close();
    removeHome(home);
  }
});

it('stays ascending, forgets the oldest, and is another array after each change', () => {
  const job = (id: number, ranS: number): Job =>
    ({
      id,
      status: 'succeeded',
      gpus: 1,
      command: ['x'],
      devices: [],
      startedAtMs: 0,
      finishedAtMs: 1000 * ranS,
      pausedMs: 0,
    }) as unknown as Job;
  const history = new ServiceHistory([job(3, 30), job(2, 10), job(1, 20)]);
  const first = history.gpuSeconds;
  expect(first).toEqual([10, 20, 30]);
  for (let i = 0; i < MOST_REMEMBERED - 2; i++) history.ended(job(4 + i, 15));
  expect(first).toEqual([10, 20, 30]);
  // The one of 20 s came first, and makes room.
  expect(history.gpuSeconds).toHaveLength(MOST_REMEMBERED);
  expect(history.gpuSeconds.slice(0, 2)).toEqual([10, 15]);
  expect(history.gpuSeconds.slice(-2)).toEqual([15, 30]);
  history.ended({ ...job(9999, 99), status: 'cancelled' });
  expect(history.gpuSeconds.at(-1)).toBe(30);
});
