import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BanditState } from '../../src/scheduler/policies/bandit.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine | null = null;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(async () => {
  await stint?.engine.stop();
  stint = null;
  removeHome(home);
});

function learned(): BanditState | null {
  const db = new SqliteDatabase(join(home, 'stint.db'));
  try {
    const row = db
      .prepare<[], { value: string }>("SELECT value FROM settings WHERE key = 'policy.bandit-ucb1'")
      .get();
    return row === undefined ? null : (JSON.parse(row.value) as BanditState);
  } finally {
    db.close();
  }
}

async function oneEpisode(pulls: number): Promise<void> {
  const { id } = await stint!.submit(['sleep', '0.1']);
  await stint!.submit(['sleep', '0.1']);
  await stint!.untilOver(id);
  await eventually(learned, (state) => state?.all.pulls === pulls, `${pulls} judged episodes`);
}

it('a bandit in charge judges each episode, and knows of it after a restart', {
  timeout: 60_000,
}, async () => {
  stint = await startEngine({ home, policy: 'bandit-ucb1' });
  await oneEpisode(1);
  await oneEpisode(2);
  expect(stint.complaints).toEqual([]);
  await stint.engine.stop();
  stint = await startEngine({ home, policy: 'bandit-ucb1' });
  await oneEpisode(3);
  // UCB1 tries every arm once before any twice.
  expect(learned()!.arms.filter(({ pulls }) => pulls === 1).length).toBe(3);

  await stint.engine.stop();
  const db = new SqliteDatabase(join(home, 'stint.db'));
  db.prepare("UPDATE settings SET value = '{' WHERE key = 'policy.bandit-ucb1'").run();
  db.close();
  stint = await startEngine({ home, policy: 'bandit-ucb1' });
  const { id } = await stint.submit(['true']);
  expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded' });
  expect(stint.complaints.join()).toContain('begins anew');
});
