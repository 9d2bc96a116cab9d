import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceInfo } from '../../src/domain/device.ts';
import { type JobSpecInput, jobSpecSchema } from '../../src/domain/job.ts';
import type { PastJob } from '../../src/domain/pastJob.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import type { Clock } from '../../src/engine/ports.ts';
import { type Database, openDatabase } from '../../src/engine/store/database.ts';
import { deviceStore } from '../../src/engine/store/deviceStore.ts';
import { type HistoryStore, historyStore } from '../../src/engine/store/historyStore.ts';
import { removeHome, temporaryHome } from './support/testEngine.ts';

const ALWAYS = Number.MAX_SAFE_INTEGER;
const PROCESS = { pid: 1, startTime: '1', bootId: 'b' };

let home: string;
let db: Database;
let ledger: Ledger;
let history: HistoryStore;
let nowMs: number;
beforeEach(() => {
  home = temporaryHome();
  db = openDatabase(join(home, 'stint.db'));
  nowMs = 1_000_000;
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  ledger = new Ledger(db, clock);
  history = historyStore(db);
});
afterEach(() => {
  db.close();
  removeHome(home);
});

const submit = (more: Partial<JobSpecInput> = {}): number =>
  ledger.submit(jobSpecSchema.parse({ command: ['/usr/bin/env', 'x'], cwd: '/', user: 'ada', ...more })).id;
function start(id: number, devices: string[]): void {
  ledger.append(id, { kind: 'launching', devices, attempt: 1 }, 'scheduler');
  ledger.append(id, { kind: 'started', process: PROCESS }, 'engine');
}
const exit = (id: number, exitCode = 0) =>
  ledger.append(id, { kind: 'exited', exitCode, cause: null }, 'process');
const at = (ms: number): void => {
  nowMs = 1_000_000 + ms;
};
const ids = (jobs: readonly PastJob[]): number[] => jobs.map(({ id }) => id);
const everything = (limit = 1000): PastJob[] => {
  const jobs: PastJob[] = [];
  for (let after = null as Parameters<HistoryStore['jobs']>[3]; ; ) {
    const page = history.jobs(0, ALWAYS, limit, after);
    jobs.push(...page.jobs);
    if (page.next === null) return jobs;
    after = page.next;
  }
};

describe('the history', () => {
  it('has what was recorded, pauses and the hold apart', () => {
    const id = submit({ name: 'train', gpus: 2, vramMib: 900, priority: 3, estimateS: 60, hold: true });
    at(5000);
    ledger.append(id, { kind: 'released' }, 'person');
    at(6000);
    start(id, ['virtual-0', 'virtual-1']);
    at(8000);
    ledger.append(id, { kind: 'paused', method: 'signals', holdsVram: true }, 'person');
    at(11_000);
    ledger.append(id, { kind: 'resumed' }, 'person');
    at(12_500);
    exit(id, 3);
    expect(everything()).toEqual([
      {
        id,
        name: 'train',
        user: 'ada',
        command: 'env',
        gpus: 2,
        devices: ['virtual-0', 'virtual-1'],
        vramMib: 900,
        exclusive: false,
        priority: 3,
        moved: false,
        estimateS: 60,
        status: 'failed',
        exitCode: 3,
        submittedAtMs: 1_000_000,
        readyAtMs: 1_005_000,
        startedAtMs: 1_006_000,
        finishedAtMs: 1_012_500,
        runS: 3.5,
        pausedS: 3,
        peakMib: null,
        policy: null,
      },
    ]);
  });

  it('is of jobs that are over and were there within the period', () => {
    const early = submit();
    start(early, []);
    at(1000);
    exit(early);
    const across = submit();
    start(across, []);
    at(3000);
    const never = submit();
    const still = submit();
    start(still, []);
    at(4000);
    exit(across);
    ledger.append(never, { kind: 'withdrawn', reason: 'no' }, 'person');
    at(9000);
    const late = submit();
    at(9500);
    ledger.append(late, { kind: 'withdrawn', reason: 'no' }, 'person');

    const during = (from: number, to: number) =>
      ids(history.jobs(1_000_000 + from, 1_000_000 + to, 100, null).jobs);
    expect(during(0, 100_000)).toEqual([early, across, never, late]);
    expect(during(1001, 9000)).toEqual([across, never]);
    expect(during(0, 3000)).toEqual([early, across]);
    expect(during(4001, 9000)).toEqual([]);
    expect(everything().find(({ id }) => id === never)).toMatchObject({ startedAtMs: null, runS: 0 });
  });

  it.each([1, 2, 3, 7, 1000])('comes whole in pages of %i', (limit) => {
    const order: number[] = [];
    for (let i = 0; i < 7; i++) {
      const id = submit({ gpus: 0 });
      order.push(id);
      start(id, []);
      // Several end at one instant.
      at(1000 * Math.floor(i / 3));
      exit(id);
    }
    expect(ids(everything(limit))).toEqual(order);
    const { jobs, next } = history.jobs(0, 1_000_000, limit, null);
    // A page may be empty and still not be the last.
    expect([jobs.length, next === null]).toEqual([0, limit > 7]);
  });

  it('is read by the index, and not from the beginning', () => {
    const plan = db
      .prepare(
        'EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE finished_at_ms IS NOT NULL AND (finished_at_ms, id) > (?, ?) ORDER BY finished_at_ms, id LIMIT ?',
      )
      .all(1, 1, 1) as { detail: string }[];
    expect(plan.map(({ detail }) => detail).join()).toMatch(/^SEARCH jobs USING (COVERING )?INDEX jobs_over/);
  });

  it('knows the peak memory of who had a real device to himself', () => {
    const devices = deviceStore(db);
    const info = (id: string, kind: DeviceInfo['kind']): DeviceInfo => ({
      id,
      kind,
      index: 0,
      name: id,
      memoryTotalMib: 8192,
    });
    const real = info('GPU-1', 'nvidia');
    const virtual = info('virtual-0', 'virtual');
    const read = (device: DeviceInfo, memoryUsedMib: number): void => {
      devices.seen(device, nowMs);
      const rest = { temperatureC: null, powerW: null, powerLimitW: null, smClockMhz: null, processes: null };
      const reading = { atMs: nowMs, memoryUsedMib, utilisation: null, ...rest };
      devices.record({ atMs: nowMs, devices: [{ info: device, reading, trouble: null }] });
    };
    const alone = submit({ vramMib: 100 });
    start(alone, ['GPU-1']);
    at(1000);
    read(real, 700);
    at(2000);
    read(real, 500);
    at(3000);
    exit(alone);
    at(4000);
    read(real, 8000);
    const shares = [submit(), submit()];
    for (const id of shares) start(id, ['GPU-1']);
    at(5000);
    read(real, 900);
    for (const id of shares) exit(id);
    const pretends = submit();
    start(pretends, ['virtual-0']);
    at(6000);
    read(virtual, 8192);
    exit(pretends);
    expect(everything().map(({ peakMib }) => peakMib)).toEqual([700, null, null, null]);
  });
});
