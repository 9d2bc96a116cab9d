import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../src/domain/errors.ts';
import { jobSpecSchema } from '../../src/domain/job.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { lockHome } from '../../src/engine/lock.ts';
import { resourcePath } from '../../src/engine/packageRoot.ts';
import { systemClock } from '../../src/engine/ports.ts';
import { contractError } from '../../src/engine/server/errors.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { eventually, removeHome, startEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => removeHome(home));

const TABLES = ['jobs', 'job_events', 'samples', 'episodes', 'decisions', 'transitions', 'allocations'];

/** Lets the store of a running engine take no writes any more; answers how to let it again. */
function refuseWrites(tables = TABLES): () => void {
  const db = new SqliteDatabase(join(home, 'stint.db'));
  const each = (sql: (name: string, table: string, act: string) => string) => {
    for (const table of tables)
      for (const act of ['INSERT', 'UPDATE']) db.exec(sql(`${table}_${act}`, table, act));
  };
  each(
    (name, table, act) => `CREATE TRIGGER ${name} BEFORE ${act} ON ${table}
    BEGIN SELECT RAISE(ABORT, 'the store takes nothing'); END`,
  );
  return () => {
    each((name) => `DROP TRIGGER ${name}`);
    db.close();
  };
}

describe('an engine whose store takes no writes', () => {
  it('goes on, refuses submissions, and records afterwards how its jobs ended meanwhile', async () => {
    const stint = await startEngine({ home, policy: 'dqn' });
    try {
      const go = join(home, 'go');
      const script = `while [ ! -e "${go}" ]; do sleep 0.02; done; exit 7`;
      const job = await stint.submit(['sh', '-c', script]);
      await stint.until(job.id, 'running');
      const mend = refuseWrites();
      await expect(stint.submit(['true'])).rejects.toThrow();
      writeFileSync(go, '');
      const noted = (what: RegExp) => () => stint.complaints.filter((line) => what.test(line)).length;
      await eventually(noted(/could not be looked at/), (n) => n > 0, 'the exit to be seen');
      await eventually(noted(/readings of devices cannot be stored/), (n) => n > 0, 'a reading to be lost');
      expect((await stint.client.jobs.list({})).jobs).toMatchObject([{ id: job.id, status: 'running' }]);
      mend();
      const mendedMs = Date.now();
      expect(await stint.untilOver(job.id)).toMatchObject({ status: 'failed', exitCode: 7 });
      expect(noted(/could not be looked at/)()).toBe(1);
      const next = await stint.submit(['true']);
      expect(await stint.untilOver(next.id)).toMatchObject({ id: job.id + 1, status: 'succeeded' });
      await eventually(
        () => stint.client.devices.samples({ sinceMs: mendedMs }),
        (series) => series.length === 2,
        'readings to be stored again',
      );
    } finally {
      await stint.engine.stop();
    }
  });

  it('does not take back a submission because the account of the episode fails', async () => {
    const stint = await startEngine({ home });
    try {
      const mend = refuseWrites(['episodes', 'transitions']);
      const job = await stint.submit(['sh', '-c', 'exit 3']);
      expect(await stint.untilOver(job.id)).toMatchObject({ exitCode: 3 });
      mend();
      const next = await stint.submit(['true']);
      await stint.untilOver(next.id);
      await eventually(
        () => stint.client.scheduler.episodes({}),
        ([episode]) => episode?.endedAtMs !== null && episode?.jobsFinished === 1,
        'the next episode to be kept',
      );
    } finally {
      await stint.engine.stop();
    }
  });
});

it('samples go on when the clock is set back', async () => {
  let offsetMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs };
  const stint = await startEngine({ home, clock });
  try {
    // A short stretch, which is not thinned out.
    const samplesOfLateMs = async () => {
      const series = await stint.client.devices.samples({ sinceMs: clock.nowMs() - 5000 });
      return series.flatMap(({ readings }) => readings.map(({ atMs }) => atMs));
    };
    const beginMs = (await eventually(samplesOfLateMs, (times) => times.length > 0, 'a first sample'))[0]!;
    offsetMs = -3_600_000;
    await eventually(samplesOfLateMs, (times) => times.some((atMs) => atMs < beginMs), 'a sample after it');
  } finally {
    await stint.engine.stop();
  }
});

describe('trouble with the disk', () => {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

  it('is told as what it is, with what to do, and writes nothing', () => {
    const db = openDatabase(join(home, 'stint.db'));
    const ledger = new Ledger(db, systemClock);
    const pages = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${pages}`);
    const spec = jobSpecSchema.parse({ command: ['true', 'x'.repeat(50_000)], cwd: '/', user: 'a' });
    let refusal: unknown;
    try {
      ledger.submit(spec);
    } catch (error) {
      refusal = contractError(error, {}, log);
    }
    expect(refusal).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: expect.stringMatching(/full; .*make room/),
    });
    expect(ledger.current()).toEqual([]);
    expect(ledger.read.unfinished()).toEqual([]);
    db.pragma('max_page_count = 100000');
    expect(ledger.submit(spec).id).toBe(1);
    db.close();
  });

  it('does not make a database look damaged', () => {
    const path = join(home, 'stint.db');
    openDatabase(path).close();
    const other = new SqliteDatabase(path, { timeout: 0 });
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN EXCLUSIVE');
    expect(() => openDatabase(path)).toThrow(/another program holds the database/);
    other.close();
  });

  it('with the lock is said with its path', () => {
    const path = join(home, 'engine.lock');
    writeFileSync(path, Buffer.alloc(4096, 7));
    expect(() => lockHome(path, home)).toThrow(UnavailableError);
    expect(() => lockHome(path, home)).toThrow(path);
  });
});

it('a supervisor gives up when its folder is gone', async () => {
  const run = join(home, 'run');
  mkdirSync(run);
  const args = [
    resourcePath('supervisor.sh'),
    run,
    '/',
    'sh',
    '-c',
    'echo up; while [ ! -e "$1" ]; do sleep 0.02; done',
    '-',
    join(home, 'go'),
  ];
  const child = spawn('/bin/bash', args, { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const log = join(run, 'output.log');
  await eventually(
    () => existsSync(log) && readFileSync(log, 'utf8'),
    (text) => text === 'up\n',
    'the job to run',
  );
  rmSync(run, { recursive: true });
  writeFileSync(join(home, 'go'), '');
  expect(await ended).toBe(1);
}, 15_000);

it('streams end when the engine does', async () => {
  const stint = await startEngine({ home });
  const stream = await stint.client.watch({});
  expect((await stream.next()).done).toBe(false);
  const rest = (async () => {
    for await (const _message of stream);
    return 'ended';
  })();
  await stint.engine.stop();
  expect(await rest).toBe('ended');
});

it('a start that is refused changes no setting', async () => {
  const first = await startEngine({ home, policy: 'fifo' });
  await first.engine.stop();
  vi.stubEnv('STINT_NVML_LIBRARY', join(home, 'no-library.so'));
  await expect(startEngine({ home, policy: 'priority', devices: 'nvml' })).rejects.toThrow(UnavailableError);
  vi.unstubAllEnvs();
  const second = await startEngine({ home, policy: undefined });
  expect((await second.client.scheduler.status()).policy).toBe('fifo');
  await second.engine.stop();
});
