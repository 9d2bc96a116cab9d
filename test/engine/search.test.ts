import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillHome } from '../../scripts/lib/manyJobs.ts';
import type { SearchCursor } from '../../src/contract/contract.ts';
import type { JobView } from '../../src/contract/messages.ts';
import type { Deputy } from '../../src/domain/deputy.ts';
import { isWanted, type JobFilter } from '../../src/domain/jobFilter.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const PAST = 4000;
let home: string;
let stint: TestEngine;
let all: JobView[];

beforeAll(async () => {
  home = temporaryHome();
  fillHome(home, { past: PAST, queued: 30, spec: { hold: true } });
  stint = await startEngine({ home });
  all = (await stint.client.jobs.list({ limit: 10_000 })).jobs;
});
afterAll(async () => {
  await stint.engine.stop();
  removeHome(home);
});

/** Everything that is found, page by page. */
async function found(filter: JobFilter, limit = 97): Promise<number[]> {
  const ids: number[] = [];
  let after: SearchCursor | null = null;
  do {
    const page: { jobs: JobView[]; next: SearchCursor | null } = await stint.client.jobs.search({
      ...filter,
      limit,
      after,
    });
    expect(page.jobs.length).toBeLessThanOrEqual(limit);
    ids.push(...page.jobs.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  return ids;
}

const dayMs = 86_400_000;

describe('a search', () => {
  it.each<[string, JobFilter]>([
    ['nothing in particular', {}],
    ['a status', { statuses: ['failed'] }],
    ['jobs that are over and such as wait', { statuses: ['held', 'failed'] }],
    ['users', { users: ['ada', 'cleo'] }],
    ['a project', { projects: ['vision'] }],
    ['tags', { tags: ['v2', 'no such tag'] }],
    ['a tag of jobs with several', { tags: ['baseline'], users: ['ada'] }],
    ['a cause', { causes: ['gpu-memory'] }],
    ['a stretch of time', { fromMs: Date.now() - 90 * dayMs, toMs: Date.now() - 60 * dayMs }],
    ['common text', { text: 'Train.PY' }],
    ['rare text', { text: '--seed 1234' }],
    ['short text', { text: '77' }],
    ['text that SQL would take for its own', { text: `%_"'\\` }],
    ['text that is nowhere', { text: 'no such words' }],
    ['all of it at once', { users: ['ben'], projects: ['speech'], statuses: ['failed'], text: '.py' }],
  ])(
    'for %s finds what a look at each job finds, in the order of the list, in pages',
    async (_what, filter) => {
      const wanted = all.filter((job) => isWanted(job, filter)).map(({ id }) => id);
      expect(await found(filter)).toEqual(wanted);
      if (wanted.length < 100) expect(await found(filter, 3)).toEqual(wanted);
    },
  );

  it('finds jobs that were just submitted, also when they are over', async () => {
    const job = await stint.submit(['sh', '-c', ': grüße $(x)'], { name: 'Wörter', gpus: 0 });
    expect(await found({ text: 'wört' })).toEqual([job.id]);
    await stint.untilOver(job.id);
    expect(await found({ text: 'wört' })).toEqual([job.id]);
    expect(await found({ text: 'GRÜSSE' })).toEqual([]);
    expect(await found({ text: '$(x)' })).toEqual([job.id]);
  });

  it('finds jobs by their tags, waiting and over, and refuses what is no tag', async () => {
    const { id } = await stint.submit(['true'], { gpus: 0, hold: true, tags: ['ünïque', 'x/y=1'] });
    expect(await found({ tags: ['x/y=1'] })).toEqual([id]);
    await stint.client.jobs.cancel({ id });
    expect(await found({ tags: ['ünïque'] })).toEqual([id]);
    expect(await found({ tags: ['x'] })).toEqual([]);
    const refused: [tags: string[], why: string][] = [
      [['a b'], 'no space'],
      [['a,b'], 'comma'],
      [['\u202e'], 'control'],
      [[''], 'give a tag'],
      [['a', 'a'], 'once'],
      [Array.from({ length: 21 }, (_, i) => `t${i}`), 'at most 20'],
      [['x'.repeat(51)], '50'],
    ];
    for (const [tags, why] of refused)
      await expect(stint.submit(['true'], { tags })).rejects.toThrow(new RegExp(`tags.*${why}`));
  });

  it('finds jobs by who submitted them, waiting and over', async () => {
    const as = (deputy: Deputy) => createRouterClient(stint.engine.router, { context: { deputy } });
    const spec = { command: ['true'], cwd: '/', user: 'tester', gpus: 0 };
    const agent = await as({ kind: 'agent', name: 'claude code' }).jobs.submit(spec);
    const token = await as({ kind: 'token', name: 'ci' }).jobs.submit({ ...spec, hold: true });
    const namesake = await as({ kind: 'agent', name: 'ci' }).jobs.submit(spec);
    for (const { id } of [agent, namesake]) await stint.untilOver(id);
    expect(await found({ submitters: ['agent claude code'] })).toEqual([agent.id]);
    expect(await found({ submitters: ['claude code'] })).toEqual([agent.id]);
    expect(await found({ submitters: ['token ci'] })).toEqual([token.id]);
    expect(await found({ submitters: ['ci'] }, 1)).toEqual([token.id, namesake.id]);
    expect(await found({ submitters: ['token claude code', "' OR 1 --"] })).toEqual([]);
    const theirs = await found({ submitters: ['person'] });
    expect(theirs.length).toBeGreaterThan(PAST);
    for (const { id } of [agent, token, namesake]) expect(theirs).not.toContain(id);
    expect(await found({ submitters: ['person', 'ci', 'claude code'] })).toHaveLength(theirs.length + 3);
    expect(await found({ submitters: ['ci'], statuses: ['succeeded'] })).toEqual([namesake.id]);
  });

  it.each([
    [{ submitters: [''] }, 'submitters.0'],
    [{ statuses: ['idle'] }, 'statuses.0'],
    [{ causes: [] }, 'causes'],
    [{ text: '' }, 'text'],
    [{ fromMs: -1 }, 'fromMs'],
    [{ limit: 0 }, 'limit'],
    [{ after: { part: 'nowhere', at: 1, id: 1 } }, 'after.part'],
  ])('%j is refused with the field %s', async (input, field) => {
    await expect(stint.client.jobs.search(input as never)).rejects.toMatchObject({ data: { field } });
  });
});

it('the pages of a search are read from the index in their order', () => {
  const db = new SqliteDatabase(join(home, 'stint.db'), { readonly: true });
  const plan = db
    .prepare<[], { detail: string }>(
      `EXPLAIN QUERY PLAN SELECT id, finished_at_ms FROM jobs INDEXED BY jobs_over
       WHERE finished_at_ms IS NOT NULL AND user IN ('ada') ORDER BY finished_at_ms DESC, id DESC`,
    )
    .all()
    .map(({ detail }) => detail);
  db.close();
  expect(plan.join()).not.toMatch(/TEMP B-TREE/);
});
