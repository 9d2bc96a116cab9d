import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/engine/store/database.ts';
import { learningCurveStore } from '../../src/engine/store/learningCurveStore.ts';
import { removeHome, temporaryHome } from './support/testEngine.ts';

it('keeps the curve of the weights that learn now, thinner the longer it gets', () => {
  const home = temporaryHome();
  const db = openDatabase(join(home, 'stint.db'));
  try {
    const store = learningCurveStore(db);
    const add = (trainSteps: number) =>
      store.add({ trainSteps, atMs: trainSteps, loss: 1 / trainSteps, epsilon: null, agreement: 0.5 });
    for (let n = 1; n <= 1000; n++) add(16 * n);
    expect(store.list()).toHaveLength(1000);
    add(16_000);
    expect(store.list()).toHaveLength(1000);
    for (let n = 1001; n <= 10_000; n++) add(16 * n);
    const steps = store.list().map(({ trainSteps }) => trainSteps);
    expect(steps.length).toBeGreaterThan(2000);
    expect(steps.length).toBeLessThan(4000);
    expect(steps.toSorted((a, b) => a - b)).toEqual(steps);
    expect(store.list()[0]).toEqual({
      trainSteps: 16,
      atMs: 16,
      loss: 1 / 16,
      epsilon: null,
      agreement: 0.5,
    });
    add(16);
    expect(store.list()).toHaveLength(1);
  } finally {
    db.close();
    removeHome(home);
  }
});
