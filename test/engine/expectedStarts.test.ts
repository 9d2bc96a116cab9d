import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExpectedStarts } from '../../src/domain/expectedStart.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { startEstimateStore } from '../../src/engine/store/startEstimateStore.ts';
import { eventually, removeHome, startEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => removeHome(home));

const SLEEP = ['sleep', '600'];
const alone = { gpus: 1, exclusive: true };

describe('expected starts', () => {
  it('follow from the jobs before, are shown as soon as they are known, and are held against what comes', async () => {
    const stint = await startEngine({ home, devices: 'virtual:1x8192' });
    const known = (is: (starts: ExpectedStarts) => boolean, what: string) =>
      eventually(() => stint.client.scheduler.expectedStarts({ waitMs: 5000 }), is, what, 60_000);
    const ids = (starts: ExpectedStarts) => starts.jobs.map(({ jobId }) => jobId);
    const first = await stint.submit(SLEEP, { ...alone, estimateS: 1000 });
    await stint.until(first.id, 'running');
    const second = await stint.submit(SLEEP, { ...alone, estimateS: 3000 });
    const third = await stint.submit(SLEEP, alone);
    const shown = await known(({ jobs }) => jobs.length === 2, 'both to be foreseen');
    expect(shown).toMatchObject({ policy: 'fifo', samples: 40 });
    expect(ids(shown)).toEqual([second.id, third.id]);
    const [one, other] = shown.jobs;
    expect(one).toMatchObject({ deviceIds: ['virtual-0'] });
    expect(one!.start.p10Ms!).toBeGreaterThan(shown.atMs!);
    expect(one!.start.p50Ms!).toBeLessThan(one!.start.p90Ms!);
    expect(other!.start.p50Ms!).toBeGreaterThanOrEqual(one!.end.p10Ms!);
    expect(shown.calibration.every(({ estimates }) => estimates === 0)).toBe(true);

    // What a person does with a job is no fault of what was said of it; what others do is.
    await stint.client.jobs.hold({ id: third.id });
    await stint.client.jobs.cancel({ id: first.id });
    await stint.until(second.id, 'running');
    await stint.client.jobs.release({ id: third.id });
    const later = await known(
      (starts) => ids(starts).join() === String(third.id),
      'the third to be foreseen',
    );
    const tried = later.calibration.filter(({ estimates }) => estimates > 0);
    expect(tried).toMatchObject([{ estimates: 1, within: 0 }]);

    await stint.client.scheduler.setMode({ mode: 'manual' });
    const nobody = await stint.client.scheduler.expectedStarts({});
    expect(nobody).toMatchObject({ policy: null, jobs: [] });
    for (const { id } of [second, third]) await stint.client.jobs.cancel({ id });
    await stint.untilOver(second.id);
    await stint.engine.stop();
    expect(stint.complaints).toEqual([]);
  });

  it('count as held where the start lay within, the latest of each horizon', () => {
    const db = openDatabase(`${home}/stint.db`);
    try {
      const store = startEstimateStore(db);
      const estimate = { attempt: 1, horizon: '1 to 10 min' as const, madeAtMs: 0 };
      const spread = { p10Ms: 100_000, p50Ms: 200_000, p90Ms: 300_000, stretch: 1 };
      store.insert([1, 2, 3, 4].map((jobId) => ({ jobId, ...estimate, ...spread })));
      // Said later of the same: the first counts.
      store.insert([{ jobId: 1, ...estimate, ...spread, p10Ms: 299_000 }]);
      store.started(1, 150_000);
      store.started(2, 301_000);
      store.started(3, 400_000);
      store.forget(4);
      const of = () => store.calibration().find(({ horizon }) => horizon === estimate.horizon);
      expect(of()).toMatchObject({ estimates: 3, within: 2 / 3 });
      // Two of three outside: what is said from now on is wider.
      expect(store.stretches().get(estimate.horizon)).toBeGreaterThan(1);
      expect(store.stretches().get('over 6 h')).toBe(1);
      store.insert([{ jobId: 5, ...estimate, ...spread }]);
      store.forgetOpen();
      store.started(5, 150_000);
      expect(of()).toMatchObject({ estimates: 3 });
    } finally {
      db.close();
    }
  });
});
