import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LearningBudget } from '../../src/engine/scheduling/learningBudget.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { settingStore } from '../../src/engine/store/settingStore.ts';
import { removeHome, temporaryHome } from './support/testEngine.ts';

it('gives learning a tenth of a core, nothing while the owner is there, and what was chosen across restarts', () => {
  const home = temporaryHome();
  const db = openDatabase(join(home, 'stint.db'));
  try {
    const shares: number[] = [];
    const budget = new LearningBudget(settingStore(db), (share) => shares.push(share));
    expect(budget.mindsOwner).toBe(true);
    budget.setPresent(true);
    expect(budget.yields).toBe(true);
    budget.set({ whilePresent: true });
    expect([budget.mindsOwner, budget.yields]).toEqual([false, false]);
    budget.set({ cpuPercent: 50 });
    expect(() => budget.set({ cpuPercent: -1 })).toThrow('give 0 or more percent');
    expect(shares).toEqual([0.1, 0, 0.1, 0.5]);
    new LearningBudget(settingStore(db), (share) => shares.push(share));
    expect(shares.at(-1)).toBe(0.5);
  } finally {
    db.close();
    removeHome(home);
  }
});
