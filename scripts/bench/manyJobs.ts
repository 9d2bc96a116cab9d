import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import type { SearchCursor } from '../../src/contract/contract.ts';
import type { JobFilter } from '../../src/domain/jobFilter.ts';
import { fillHome } from '../lib/manyJobs.ts';
import { startHost } from './host.ts';
import { type Figure, quantile } from './measure.ts';

const MANY = 100_000;
const blocker = { command: ['sleep', '600'], cwd: '/', user: 'bench' };

/** Submissions into a queue of a hundred thousand against the same into an empty one, over the socket. */
export async function longQueue(repetitions: number): Promise<Figure[]> {
  const template = mkdtempSync(join(tmpdir(), 'stint-bench-'));
  try {
    fillHome(template, { past: 0, queued: MANY, spec: { command: ['sleep', '600'] } });
    const ratios: number[] = [];
    const emptyMs: number[] = [];
    const fullMs: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const empty = await submissions();
      const full = await submissions(template);
      emptyMs.push(mean(empty));
      fullMs.push(mean(full));
      ratios.push(mean(full) / mean(empty));
    }
    const how = `400 submissions one after another over the local socket, after 200 that do not count; under dqn, the only device taken`;
    return [
      { what: 'adding a job, empty queue', unit: 'ms', values: emptyMs, target: null, how },
      { what: `adding a job, ${MANY} queued`, unit: 'ms', values: fullMs, target: null, how },
      {
        what: `adding a job, ${MANY} queued against none`,
        unit: '×',
        values: ratios,
        target: { limit: 1.5, better: 'less' },
        how,
      },
    ];
  } finally {
    rmSync(template, { recursive: true, force: true });
  }
}

const mean = (some: readonly number[]): number => some.reduce((a, b) => a + b, 0) / some.length;

async function submissions(template?: string): Promise<number[]> {
  const host = await startHost(['--devices', 'virtual:1', '--policy', 'dqn'], {}, template);
  try {
    const { client } = host;
    if (template === undefined) await client.jobs.submit(blocker);
    while ((await client.jobs.list({ limit: 1, statuses: ['running'] })).total === 0) {
      await sleep(20);
    }
    const times: number[] = [];
    for (let i = -200; i < 400; i++) {
      const atMs = performance.now();
      await client.jobs.submit(blocker);
      if (i >= 0) times.push(performance.now() - atMs);
    }
    return times;
  } finally {
    await host.dispose();
  }
}

/** Listing, filtering and paging a hundred thousand jobs that are over; and starting with them, and 50 that run. */
export async function longHistory(repetitions: number): Promise<Figure[]> {
  const template = mkdtempSync(join(tmpdir(), 'stint-bench-'));
  try {
    fillHome(template, { past: MANY, queued: 0 });
    return [...(await searches(repetitions, template)), ...(await startUp(repetitions, template))];
  } finally {
    rmSync(template, { recursive: true, force: true });
  }
}

async function searches(repetitions: number, template: string): Promise<Figure[]> {
  const host = await startHost(['--devices', 'virtual:2'], {}, template);
  const p95: number[] = [];
  const worst: number[] = [];
  try {
    const { client } = host;
    const dayMs = 86_400_000;
    const filters: readonly JobFilter[] = [
      {},
      { statuses: ['failed'] },
      { users: ['ada'] },
      { users: ['nobody'] },
      { submitters: ['person'] },
      { submitters: ['ci'], statuses: ['failed'] },
      { projects: ['vision'], users: ['ben'] },
      { causes: ['gpu-memory'], projects: ['speech'] },
      { fromMs: Date.now() - 90 * dayMs, toMs: Date.now() - 60 * dayMs },
      { text: 'train.py' },
      { text: '--seed 77' },
      { text: 'q' },
      { text: 'no such words' },
      { text: 'finetune', users: ['dan'], statuses: ['failed'], fromMs: Date.now() - 120 * dayMs },
    ];
    for (let repetition = 0; repetition <= repetitions; repetition++) {
      const times: number[] = [];
      for (const filter of filters) {
        let after: SearchCursor | null = null;
        // The first pages, and on through the list.
        for (let page = 0; page < 10; page++) {
          const atMs = performance.now();
          const found: { next: SearchCursor | null } = await client.jobs.search({
            ...filter,
            limit: 100,
            after,
          });
          times.push(performance.now() - atMs);
          after = found.next;
          if (after === null) break;
        }
      }
      // The first round warms up.
      if (repetition === 0) continue;
      p95.push(quantile(times, 0.95));
      worst.push(Math.max(...times));
    }
  } finally {
    await host.dispose();
  }
  const how = `fourteen filters (none, status, user, submitter, project, cause, time, text, several), up to ten pages of 100 each, of ${MANY} jobs, over the local socket`;
  return [
    {
      what: `a page of ${MANY} past jobs, p95`,
      unit: 'ms',
      values: p95,
      target: { limit: 50, better: 'less' },
      how,
    },
    { what: `a page of ${MANY} past jobs, worst`, unit: 'ms', values: worst, target: null, how },
  ];
}

const RUNNING = 50;

/** From the start of the process to the first decision, with 50 real processes to find again. */
async function startUp(repetitions: number, template: string): Promise<Figure[]> {
  const devices = ['--devices', `virtual:${RUNNING + 2}`, '--policy', 'dqn'];
  const values: number[] = [];
  let host = await startHost(devices, {}, template);
  try {
    for (let i = 0; i < RUNNING; i++) await host.client.jobs.submit(blocker);
    const running = async () => (await host.client.jobs.list({ limit: 1, statuses: ['running'] })).total;
    while ((await running()) < RUNNING) await sleep(50);
    for (let repetition = 0; repetition < repetitions; repetition++) {
      await host.client.scheduler.drain({ on: true });
      const job = await host.client.jobs.submit({ ...blocker, command: ['true'] });
      // Taken back by hand, so that the engine is killed in the state in which it would decide at once.
      await host.kill();
      const db = new SqliteDatabase(join(host.home, 'stint.db'));
      db.exec("DELETE FROM settings WHERE key = 'drain-since-ms'");
      db.close();
      const spawnedMs = Date.now();
      host = await startHost(devices, {}, undefined, host.home);
      let decision: { atMs: number } | undefined;
      while (decision === undefined) {
        [decision] = await host.client.scheduler.decisions({ limit: 1, jobId: job.id });
      }
      values.push((decision.atMs - spawnedMs) / 1000);
      while ((await running()) > RUNNING) await sleep(20);
    }
  } finally {
    await host.dispose();
  }
  return [
    {
      what: `start to first decision, ${MANY} past and ${RUNNING} running jobs`,
      unit: 's',
      values,
      target: { limit: 1, better: 'less' },
      how: 'stint serve, from the start of its process, after its engine was killed; one job waits for a free device',
    },
  ];
}
