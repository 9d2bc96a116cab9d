import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DEFAULT_GOALS, goalWeightsSchema } from '../../src/domain/reward.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { OwnersChoice } from '../../src/engine/store/ownersChoice.ts';
import { settingStore } from '../../src/engine/store/settingStore.ts';
import { removeHome, temporaryHome } from './support/testEngine.ts';

it('keeps what the owner chose across restarts, and nothing that is impossible', () => {
  const home = temporaryHome();
  const opened = () => {
    const db = openDatabase(join(home, 'stint.db'));
    return { db, goals: new OwnersChoice(settingStore(db), 'goals', goalWeightsSchema, DEFAULT_GOALS) };
  };
  try {
    const first = opened();
    first.goals.set({ fairness: 2 });
    expect(() => first.goals.set({ completion: -1, fairness: 0 })).toThrow('give 0 or more');
    expect(first.goals.current).toEqual({ ...DEFAULT_GOALS, fairness: 2 });
    first.db.close();
    const second = opened();
    expect(second.goals.current).toEqual({ ...DEFAULT_GOALS, fairness: 2 });
    second.db.close();
  } finally {
    removeHome(home);
  }
});
