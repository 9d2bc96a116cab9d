import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src/engine/store/database.ts';
import { DECISIONS_KEPT, decisionStore } from '../../src/engine/store/decisionStore.ts';
import { type StoredTransition, transitionStore } from '../../src/engine/store/transitionStore.ts';
import { removeHome, temporaryHome } from './support/testEngine.ts';

let home: string;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => removeHome(home));

const transitionOf = (decisionId: number): StoredTransition => ({
  decisionId,
  episodeId: null,
  atMs: decisionId,
  reward: 0,
  parts: { completion: 0, utilisation: 0, fairness: 0 },
  discount: 1,
  done: false,
  body: Uint8Array.of(decisionId),
});

it('gives the latest transitions page by page, oldest first', () => {
  const db = openDatabase(join(home, 'stint.db'));
  try {
    // The decisions that these belong to do not matter here.
    db.exec('PRAGMA foreign_keys = OFF');
    const store = transitionStore(db);
    for (let n = 1; n <= 10; n++) store.insert(transitionOf(n));
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

it('of decisions the latest are kept, and older ones alone of which there is a transition', () => {
  const db = openDatabase(join(home, 'stint.db'));
  try {
    const decisions = decisionStore(db);
    const candidates = [{ action: { kind: 'wait' } }];
    const decide = (): number =>
      decisions.insert({ atMs: 1, episodeId: null, policy: 'aged', candidates, chosen: 0 } as never).id;
    const last = DECISIONS_KEPT + 2000;
    // A policy that is not learned from decides ever after: the one transition that there is must not keep them all.
    db.transaction(() => {
      for (let n = 1; n <= last; n++) {
        decide();
        if (n === 3) transitionStore(db).insert(transitionOf(3));
      }
    })();
    const ids = db.prepare<[], number>('SELECT id FROM decisions ORDER BY id').pluck().all();
    expect(ids.slice(0, 2)).toEqual([3, 2001]);
    expect(ids).toHaveLength(DECISIONS_KEPT + 1);
    expect(decisions.countOf('aged')).toBe(last);
  } finally {
    db.close();
  }
});
