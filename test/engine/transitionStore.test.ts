import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src/engine/store/database.ts';
import { transitionStore } from '../../src/engine/store/transitionStore.ts';
import { removeHome, temporaryHome } from './support/testEngine.ts';

let home: string;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => removeHome(home));

it('gives the latest transitions page by page, oldest first', () => {
  const db = openDatabase(join(home, 'stint.db'));
  try {
    // The decisions that these belong to do not matter here.
    db.exec('PRAGMA foreign_keys = OFF');
    const store = transitionStore(db);
    for (let n = 1; n <= 10; n++) {
      store.insert({
        decisionId: n,
        episodeId: null,
        atMs: n,
        reward: 0,
        parts: { completion: 0, utilisation: 0, fairness: 0 },
        discount: 1,
        done: false,
        body: Uint8Array.of(n),
      });
    }
    const page = (limit: number, skip: number) => store.latest(limit, skip).map(([n]) => n);
    expect(store.count()).toBe(10);
    expect(page(4, 0)).toEqual([7, 8, 9, 10]);
    expect(page(4, 4)).toEqual([3, 4, 5, 6]);
    expect(page(4, 8)).toEqual([1, 2]);
    expect(page(4, 10)).toEqual([]);
  } finally {
    db.close();
  }
});
