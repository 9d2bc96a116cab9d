import { createHash } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../src/domain/errors.ts';
import { jobSchema, jobSpecSchema } from '../../src/domain/job.ts';
import {
  applyEvent,
  createJob,
  type Folded,
  IllegalTransitionError,
  type JobEvent,
} from '../../src/domain/lifecycle.ts';
import { resolveHome } from '../../src/engine/home.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { lockHome } from '../../src/engine/lock.ts';
import { systemClock } from '../../src/engine/ports.ts';
import { openDatabase, SCHEMA_VERSION } from '../../src/engine/store/database.ts';
import { MIGRATIONS } from '../../src/engine/store/migrations/index.ts';
import { modelStore } from '../../src/engine/store/modelStore.ts';
import { removeHome, startEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let path: string;
beforeEach(() => {
  home = temporaryHome();
  path = join(home, 'stint.db');
});
afterEach(() => removeHome(home));

const spec = jobSpecSchema.parse({ command: ['true'], cwd: '/', user: 'a' });
/** What a job was in version 1 of the schema. */
const IN_1 =
  'id name command cwd env gpus vramMib exclusive priority user project estimateS status exitCode cause devices rank moved submittedAtMs startedAtMs finishedAtMs pausedAtMs pausedMs holdsVram process progress attempt'.split(
    ' ',
  );
const hash = (): string => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('migrations', () => {
  it.each(MIGRATIONS.map((_, i) => i))('from version %i to the latest', (from) => {
    const db = new SqliteDatabase(path);
    for (const migration of MIGRATIONS.slice(0, from)) db.exec(migration);
    db.pragma(`application_id = ${0x53544e54}`);
    db.pragma(`user_version = ${from}`);
    db.close();
    const migrated = openDatabase(path);
    expect(migrated.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
    expect(migrated.pragma('foreign_key_check')).toEqual([]);
    expect(migrated.pragma('integrity_check', { simple: true })).toBe('ok');
    migrated.close();
  });

  it('gives the jobs of version 1 their terms, so that folding their events still gives them', () => {
    const old = new SqliteDatabase(path);
    old.exec(MIGRATIONS[0]!);
    old.pragma(`application_id = ${0x53544e54}`);
    old.pragma('user_version = 1');
    const { beginAtMs, timeLimitS, retries, retryDelayS, retryOn, after, ...oldSpec } = spec;
    const process = { pid: 1, startTime: '2', bootId: 'b' };
    const lives: JobEvent[][] = [
      [],
      [{ kind: 'held' }, { kind: 'released' }],
      [
        { kind: 'launching', devices: ['virtual-0'], attempt: 1 },
        { kind: 'started', process },
      ],
      [
        { kind: 'launching', devices: [], attempt: 1 },
        { kind: 'started', process },
        { kind: 'exited', exitCode: 3, cause: 'exited with code 3' },
      ],
    ];
    const insertJob = old.prepare(
      'INSERT INTO jobs (id, status, rank, submitted_at_ms, finished_at_ms, body) VALUES (?, ?, ?, ?, ?, ?)',
    );
    const insertEvent = old.prepare(
      "INSERT INTO job_events (job_id, at_ms, actor, kind, body) VALUES (?, ?, 'person', ?, ?)",
    );
    const jobs = lives.map((life, index) => {
      const id = index + 1;
      const submitted = { kind: 'submitted', spec: oldSpec } as Extract<JobEvent, { kind: 'submitted' }>;
      let folded: Folded = { job: createJob(id, submitted, 1000), stoppingAs: null };
      life.forEach((event, i) => {
        folded = applyEvent(folded, event, 2000 + i);
      });
      const { job } = folded;
      const known = Object.entries(job).filter(([key]) => IN_1.includes(key));
      const body = JSON.stringify(Object.fromEntries(known));
      insertJob.run(id, job.status, job.rank, 1000, job.finishedAtMs, body);
      [submitted, ...life].forEach((event, i) => {
        insertEvent.run(id, i === 0 ? 1000 : 1999 + i, event.kind, JSON.stringify(event));
      });
      return job;
    });
    old.close();
    const db = openDatabase(path);
    const ledger = new Ledger(db, systemClock);
    expect(lives.map((_, index) => ledger.get(index + 1))).toEqual(jobs);
    expect(ledger.get(2).readyAtMs).toBe(2001);
    for (const job of jobs) expect(jobSchema.parse(ledger.get(job.id))).toEqual(job);
    // And they go on from where they stood.
    expect(ledger.append(4, { kind: 'retried' }, 'person')).toMatchObject({ status: 'queued', attempt: 1 });
    db.close();
  });
});

describe('a database that cannot be used', () => {
  function refusal(): UnavailableError {
    try {
      openDatabase(path).close();
    } catch (error) {
      expect(error).toBeInstanceOf(UnavailableError);
      return error as UnavailableError;
    }
    throw new Error('it was opened');
  }

  it('from a newer Stint is refused and left alone', () => {
    const db = openDatabase(path);
    db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    const before = hash();
    const error = refusal();
    expect(error.message).toContain(path);
    expect(error.message).toMatch(/newer Stint/);
    expect(error.remedy).toMatch(/update Stint/);
    expect(hash()).toBe(before);
  });

  it('was made by a first start that was killed before it wrote anything: it goes on with it', () => {
    const begun = new SqliteDatabase(path);
    begun.pragma('journal_mode = WAL');
    begun.close();
    expect(statSync(path).size).toBeGreaterThan(0);
    const db = openDatabase(path);
    expect(db.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
    db.close();
  });

  it('of another program is refused and left alone', () => {
    const db = new SqliteDatabase(path);
    db.exec('CREATE TABLE theirs (x)');
    db.close();
    const before = hash();
    expect(refusal().message).toMatch(/another program/);
    expect(hash()).toBe(before);
  });

  it.each([
    ['noise', () => writeFileSync(path, Buffer.alloc(8192, 7))],
    [
      'cut short',
      () => {
        const db = openDatabase(path);
        const ledger = new Ledger(db, systemClock);
        for (let i = 0; i < 200; i++) ledger.submit(spec);
        db.pragma('wal_checkpoint(TRUNCATE)');
        db.close();
        truncateSync(path, Math.floor(statSync(path).size / 2));
      },
    ],
  ])(
    'that is damaged (%s) is refused with the path and the remedy, and left alone',
    async (_what, damage) => {
      damage();
      const before = hash();
      const error = refusal();
      expect(error.message).toContain(path);
      expect(error.remedy).toMatch(/restore it from a backup/);
      expect(hash()).toBe(before);
      await expect(startEngine({ home })).rejects.toThrow(path);
      expect(hash()).toBe(before);
    },
  );
});

describe('the ledger', () => {
  it('appends events with their projection, and folding the log gives the projection', () => {
    const db = openDatabase(path);
    const ledger = new Ledger(db, systemClock);
    const { id } = ledger.submit(spec);
    ledger.append(id, { kind: 'prioritised', priority: 4 }, 'person');
    ledger.append(id, { kind: 'launching', devices: ['virtual-0'], attempt: 1 }, 'scheduler');
    ledger.append(id, { kind: 'started', process: { pid: 1, startTime: '2', bootId: 'b' } }, 'engine');
    ledger.append(id, { kind: 'exited', exitCode: 2, cause: 'exited with code 2' }, 'process');
    const [first, ...rest] = ledger.read.events(id);
    if (first?.event.kind !== 'submitted') throw new Error('the first event is the submission');
    let folded: Folded = { job: createJob(id, first.event, first.atMs), stoppingAs: null };
    for (const { event, atMs } of rest) folded = applyEvent(folded, event, atMs);
    expect(folded.job).toEqual(ledger.get(id));
    expect(new Ledger(db, systemClock).get(id)).toEqual(ledger.get(id));
    expect(ledger.read.allocations(0)).toMatchObject([{ jobId: id, deviceId: 'virtual-0' }]);
    db.close();
  });

  it('writes nothing for an illegal transition', () => {
    const db = openDatabase(path);
    const ledger = new Ledger(db, systemClock);
    const { id } = ledger.submit(spec);
    const seq = ledger.seq;
    expect(() => ledger.append(id, { kind: 'resumed' }, 'person')).toThrow(IllegalTransitionError);
    expect(ledger.read.lastSeq()).toBe(seq);
    db.close();
  });

  it('tells apart what changes who holds the devices', () => {
    const db = openDatabase(path);
    const ledger = new Ledger(db, systemClock);
    const { id } = ledger.submit(spec);
    ledger.append(id, { kind: 'prioritised', priority: 4 }, 'person');
    expect(ledger.liveSeq).toBe(0);
    ledger.append(id, { kind: 'launching', devices: ['virtual-0'], attempt: 1 }, 'scheduler');
    expect(ledger.liveSeq).toBe(ledger.seq);
    ledger.submit(spec);
    expect(ledger.liveSeq).toBe(ledger.seq - 1);
    ledger.append(id, { kind: 'launch-failed', reason: 'no' }, 'engine');
    expect(ledger.liveSeq).toBe(ledger.seq);
    db.close();
  });

  it('lets nobody change or remove an event', () => {
    const db = openDatabase(path);
    new Ledger(db, systemClock).submit(spec);
    expect(() => db.exec("UPDATE job_events SET kind = 'x'")).toThrow(/never changed/);
    expect(() => db.exec('DELETE FROM job_events')).toThrow(/never deleted/);
    db.close();
  });
});

it('keeps exactly one model in charge, the shipped one for good, and what was in charge lately', () => {
  const db = openDatabase(path);
  const models = modelStore(db);
  const weights = new Uint8Array([1, 2, 3]);
  const base = { createdAtMs: 1, weights };
  models.register({ ...base, version: 'first', source: 'shipped', trainSteps: 0 });
  models.promote('first', 1);
  for (let i = 1; i <= 30; i++) {
    models.register({ ...base, version: `+${i}`, source: 'online', trainSteps: i });
    if (i === 2 || i === 5) models.promote(`+${i}`, 100 + i);
  }
  expect(models.inCharge()).toMatchObject({ version: '+5', trainSteps: 5, promotedAtMs: 105, weights });
  expect(models.previous()).toMatchObject({ version: '+2', inCharge: false });
  expect(models.newestLearned()?.version).toBe('+30');
  expect(models.list().map(({ version }) => version)).toEqual([
    '+5',
    ...Array.from({ length: 20 }, (_, i) => `+${30 - i}`),
    '+2',
    'first',
  ]);
  db.close();
});

describe('the data directory', () => {
  it('is locked by one engine, and free once that is gone', async () => {
    const first = await startEngine({ home });
    await expect(startEngine({ home })).rejects.toThrow(/already running on/);
    await first.engine.stop();
    lockHome(join(home, 'engine.lock'), home)();
  });

  it('comes from the flag, the variable, or the platform', () => {
    expect(resolveHome('/a', { STINT_HOME: '/b' })).toBe('/a');
    expect(resolveHome(undefined, { STINT_HOME: '/b' })).toBe('/b');
    expect(resolveHome(undefined, { XDG_DATA_HOME: '/x' }, 'linux')).toBe('/x/stint');
    expect(resolveHome(undefined, {}, 'linux')).toMatch(/\/\.local\/share\/stint$/);
    expect(() => resolveHome(undefined, { STINT_HOME: 'relative' })).toThrow(/^STINT_HOME: .*absolute/);
    expect(() => resolveHome('', {})).toThrow(/^--data/);
  });

  it.each([
    [{ devices: 'virtual:0' }, /^devices: "virtual:0"/],
    [{ policy: 'magic' }, /^policy: "magic" .* fifo, first-fit, easy, .*, dqn/],
  ])('is not made when an option makes no sense: %j', async (options, message) => {
    await expect(startEngine({ home: join(home, 'new'), ...options })).rejects.toThrow(message);
    expect(() => statSync(join(home, 'new'))).toThrow(/ENOENT/);
  });
});
