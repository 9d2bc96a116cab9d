import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fillHome } from '../../scripts/lib/manyJobs.ts';
import { isLive, type Job, jobSpecSchema } from '../../src/domain/job.ts';
import { createJob } from '../../src/domain/lifecycle.ts';
import { randomInt, seededRng } from '../../src/domain/rng.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { systemClock } from '../../src/engine/ports.ts';
import { type ReadyJob, WINDOW, windowOf } from '../../src/engine/scheduling/queueWindow.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { removeHome, startEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => removeHome(home));

const job = (id: number, more: Partial<Job> = {}): Job => {
  const spec = jobSpecSchema.parse({ command: ['true'], cwd: '/', user: 'ada' });
  return { ...createJob(id, { kind: 'submitted', spec }, 1000 + id), ...more };
};
const ready = (jobs: readonly Job[]): ReadyJob[] => jobs.map((one) => ({ job: one, sinceMs: one.readyAtMs }));

describe('what a decision looks at of a long queue', () => {
  it('is all of one that is not long', () => {
    const queue = ready(Array.from({ length: WINDOW }, (_, i) => job(i + 1)));
    expect(windowOf(queue, 0)).toEqual({ ready: queue, backlog: null });
  });

  it('has the first, the moved, the urgent, the short, the longest waits, and some of each user and size', () => {
    const special: Record<number, Partial<Job>> = {
      9000: { moved: true },
      9100: { priority: 50 },
      9200: { estimateS: 5 },
      9300: { readyAtMs: 1 },
      9400: { user: 'zoe' },
      9500: { gpus: 4 },
    };
    const jobs = Array.from({ length: 10_000 }, (_, i) => job(i + 1, special[i + 1]));
    const { ready: seen, backlog } = windowOf(ready(jobs), 0);
    const ids = seen.map((one) => one.job.id);
    expect(ids).toHaveLength(WINDOW);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(ids.slice(0, 400)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    expect(ids).toEqual(expect.arrayContaining(Object.keys(special).map(Number)));
    expect(backlog).toMatchObject({ waiting: 10_000 - WINDOW, waitingGpus: 10_000 - WINDOW });
    expect(backlog!.users).toEqual(new Set(['ada']));
  });
});

it('the ledger keeps its jobs by rank, whatever happens to them', () => {
  const db = openDatabase(join(home, 'stint.db'));
  const ledger = new Ledger(db, systemClock);
  const rng = seededRng(3);
  const spec = jobSpecSchema.parse({ command: ['true'], cwd: '/', user: 'ada' });
  for (let step = 0; step < 600; step++) {
    const jobs = ledger.current();
    const one = jobs[randomInt(rng, Math.max(1, jobs.length))];
    const fate = rng.next();
    if (one === undefined || fate < 0.4) ledger.submit(spec);
    else if (one.status !== 'queued')
      ledger.append(one.id, { kind: 'launch-abandoned', reason: 'x' }, 'engine');
    else if (fate < 0.7) ledger.append(one.id, { kind: 'moved', rank: randomInt(rng, 30) / 2 }, 'person');
    else if (fate < 0.85) ledger.append(one.id, { kind: 'launching', devices: [], attempt: 1 }, 'scheduler');
    else ledger.append(one.id, { kind: 'withdrawn', reason: 'x' }, 'person');
    const now = ledger.current();
    expect(now).toEqual(now.toSorted((a, b) => a.rank - b.rank || a.id - b.id));
  }
  const stored = ledger.read.unfinished().map((folded) => folded.job);
  expect(ledger.current()).toEqual(stored);
  expect(ledger.live()).toEqual(stored.filter(({ status }) => isLive(status)));
  db.close();
});

it('a queue longer than one decision looks at is worked off to its last job', async () => {
  const last = WINDOW + 40;
  fillHome(home, { past: 0, queued: last, spec: { command: ['true'], gpus: 0 } });
  const stint = await startEngine({ home, policy: 'fifo' });
  try {
    await stint.untilOver(1);
    expect((await stint.client.jobs.get({ id: last })).waitingReason).toMatch(/slots are taken|long queue/);
    // Most of it is withdrawn, so that the test does not take as long as the jobs.
    for (let id = 30; id <= WINDOW; id++) {
      if ((await stint.client.jobs.get({ id })).status === 'queued') await stint.client.jobs.cancel({ id });
    }
    for (let id = 1; id <= last; id++) await stint.untilOver(id);
    const succeeded = await stint.client.jobs.list({ statuses: ['succeeded'], limit: 1000 });
    for (const id of [1, 29, WINDOW + 1, last]) expect(succeeded.jobs.map((one) => one.id)).toContain(id);
  } finally {
    await stint.engine.stop();
  }
}, 120_000);
