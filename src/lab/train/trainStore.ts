import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import SqliteDatabase from 'better-sqlite3';
import { FieldError, messageOf } from '../../domain/errors.ts';
import type { TrainConfig } from './trainConfig.ts';

/** A point of the learning curve. */
export interface CurvePoint {
  /** Gradient steps so far. */
  readonly step: number;
  readonly phase: string;
  /** Means since the point before. */
  readonly loss: number;
  readonly error: number;
  readonly epsilon: number | null;
  /** Worlds that were run so far. */
  readonly worlds: number;
  /** Decisions that were learned from so far. */
  readonly decisions: number;
  /** Seconds of training so far, over all sittings. */
  readonly trainedS: number;
}

export interface ValidationPoint {
  readonly step: number;
  /** Geometric mean of mean completion times against the yardstick, with its 95 % interval over worlds. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** What is wrong with these weights, so that they cannot be chosen; null: nothing. */
  readonly trouble: string | null;
}

export interface BestWeights {
  readonly step: number;
  readonly ratio: number;
  /** Blob of encodeWeights. */
  readonly weights: Uint8Array;
}

/** What a training has done since it was last recorded. */
export interface Progress<State> {
  readonly state: State;
  /** With their numbers, in the order in which they were added to the memory. */
  readonly trajectories: readonly {
    readonly number: number;
    readonly demonstrated: boolean;
    readonly steps: number;
    readonly body: Uint8Array;
  }[];
  /** Own trajectories before this number are no longer remembered. */
  readonly forgetBefore: number;
  readonly points: readonly CurvePoint[];
  readonly validations: readonly ValidationPoint[];
  readonly best: BestWeights | null;
}

const SCHEMA = `
CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1), config TEXT NOT NULL, features TEXT NOT NULL) STRICT;
CREATE TABLE baseline (world INTEGER PRIMARY KEY, mean_jct_s REAL NOT NULL) STRICT;
CREATE TABLE trajectories (
  number INTEGER PRIMARY KEY, demonstrated INTEGER NOT NULL, steps INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL) STRICT;
CREATE TABLE curve (
  step INTEGER NOT NULL, phase TEXT NOT NULL, loss REAL NOT NULL, error REAL NOT NULL, epsilon REAL,
  worlds INTEGER NOT NULL, decisions INTEGER NOT NULL, trained_s REAL NOT NULL
) STRICT;
CREATE TABLE validations (
  step INTEGER NOT NULL, ratio REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL, trouble TEXT
) STRICT;
CREATE TABLE best (id INTEGER PRIMARY KEY CHECK (id = 1), step INTEGER NOT NULL, ratio REAL NOT NULL, weights BLOB NOT NULL)
  STRICT;
`;
/** 'STTR': tells our files from others'. */
const APPLICATION_ID = 0x53545452;
const VERSION = 1;

/**
 * A training's directory: everything in one SQLite file, each step of progress in one transaction, so that a training
 * that is killed goes on from its last record as if nothing had been. Others may read the curves while it runs.
 */
export class TrainStore<State> {
  readonly #db: SqliteDatabase.Database;
  readonly #lock: SqliteDatabase.Database;

  /**
   * @param resume true: goes on with what is there; false: begins anew, where nothing is.
   * @throws {FieldError} naming `--out`, or `--resume`, and what to do.
   */
  constructor(directory: string, resume: boolean) {
    const path = join(directory, 'train.db');
    const there = existsSync(path);
    if (there && !resume) {
      throw new FieldError(
        '--out',
        directory,
        'go on with the training there by --resume, or name another directory',
      );
    }
    if (!there && resume) {
      throw new FieldError('--resume', directory, 'begin without it: there is no training in this directory');
    }
    try {
      mkdirSync(directory, { recursive: true });
      this.#lock = lockOf(directory);
    } catch (error) {
      if (error instanceof FieldError) throw error;
      throw new FieldError('--out', directory, `name a directory that can be written (${messageOf(error)})`);
    }
    let db: SqliteDatabase.Database | undefined;
    try {
      db = new SqliteDatabase(path, { timeout: 5000 });
      if (
        there &&
        (pragma(db, 'application_id') !== APPLICATION_ID || pragma(db, 'user_version') !== VERSION)
      ) {
        throw new Error('it is no training of this version');
      }
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = NORMAL');
      if (!there) {
        db.exec(
          `BEGIN; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}; COMMIT;`,
        );
      }
    } catch (error) {
      db?.close();
      this.#lock.close();
      throw new FieldError('--out', path, `name another directory, or remove the file (${messageOf(error)})`);
    }
    this.#db = db;
  }

  close(): void {
    this.#db.close();
    this.#lock.close();
  }

  /**
   * Notes what is trained, or makes sure that it is the same.
   * @throws {FieldError} naming `--config` when it is not.
   */
  begin(config: TrainConfig, features: readonly string[]): void {
    const now = { config: JSON.stringify(config), features: JSON.stringify(features) };
    const before = this.#db.prepare<[], typeof now>('SELECT config, features FROM run').get();
    if (before === undefined) {
      this.#db
        .prepare('INSERT INTO run (id, config, features) VALUES (1, ?, ?)')
        .run(now.config, now.features);
      return;
    }
    if (before.config !== now.config) {
      const field = firstDifference(JSON.parse(before.config), config);
      const remedy = `go on with the configuration that the training began with: ${field} differs`;
      throw new FieldError('--config', 'another one', remedy);
    }
    if (before.features !== now.features) {
      throw new FieldError('--resume', 'a training on other features', 'begin anew in another directory');
    }
  }

  /** What a training began with; null before it did. */
  get config(): unknown {
    const row = this.#db.prepare<[], { config: string }>('SELECT config FROM run').get();
    return row === undefined ? null : JSON.parse(row.config);
  }

  get baseline(): number[] {
    const rows = this.#db
      .prepare<[], { mean_jct_s: number }>('SELECT mean_jct_s FROM baseline ORDER BY world')
      .all();
    return rows.map(({ mean_jct_s }) => mean_jct_s);
  }

  setBaseline(values: readonly number[]): void {
    const insert = this.#db.prepare('INSERT INTO baseline (world, mean_jct_s) VALUES (?, ?)');
    this.#db.transaction(() => values.forEach((value, world) => void insert.run(world, value)))();
  }

  /** The state as it was last recorded; null: none was. */
  get state(): State | null {
    const row = this.#db.prepare<[], { body: Buffer }>('SELECT body FROM state').get();
    return row === undefined ? null : (deserialize(row.body) as State);
  }

  /** The remembered trajectories, oldest first, one at a time. */
  trajectories(): Iterable<{ readonly number: number; readonly body: Uint8Array }> {
    return this.#db
      .prepare<[], { number: number; body: Buffer }>('SELECT number, body FROM trajectories ORDER BY number')
      .iterate();
  }

  get best(): BestWeights | null {
    const row = this.#db.prepare<[], BestWeights>('SELECT step, ratio, weights FROM best').get();
    return row ?? null;
  }

  get points(): CurvePoint[] {
    return this.#db
      .prepare<[], CurvePoint>(
        `SELECT step, phase, loss, error, epsilon, worlds, decisions, trained_s AS trainedS FROM curve ORDER BY rowid`,
      )
      .all();
  }

  get validations(): ValidationPoint[] {
    return this.#db.prepare<[], ValidationPoint>('SELECT * FROM validations ORDER BY rowid').all();
  }

  /** Records progress, whole or not at all. */
  record({ state, trajectories, forgetBefore, points, validations, best }: Progress<State>): void {
    const db = this.#db;
    db.transaction(() => {
      const insert = db.prepare(
        'INSERT INTO trajectories (number, demonstrated, steps, body) VALUES (?, ?, ?, ?)',
      );
      for (const { number, demonstrated, steps, body } of trajectories) {
        insert.run(number, demonstrated ? 1 : 0, steps, body);
      }
      db.prepare('DELETE FROM trajectories WHERE demonstrated = 0 AND number < ?').run(forgetBefore);
      const point = db.prepare(
        `INSERT INTO curve (step, phase, loss, error, epsilon, worlds, decisions, trained_s)
         VALUES (@step, @phase, @loss, @error, @epsilon, @worlds, @decisions, @trainedS)`,
      );
      for (const one of points) point.run(one);
      const validation = db.prepare(
        'INSERT INTO validations (step, ratio, low, high, trouble) VALUES (@step, @ratio, @low, @high, @trouble)',
      );
      for (const one of validations) validation.run(one);
      if (best !== null) {
        db.prepare(
          'INSERT OR REPLACE INTO best (id, step, ratio, weights) VALUES (1, @step, @ratio, @weights)',
        ).run(best);
      }
      db.prepare('INSERT OR REPLACE INTO state (id, body) VALUES (1, ?)').run(serialize(state));
    })();
  }
}

const pragma = (db: SqliteDatabase.Database, name: string): unknown => db.pragma(name, { simple: true });

/** The lock is the kernel's, on an open file, so that it is gone the moment its holder is. */
function lockOf(directory: string): SqliteDatabase.Database {
  const lock = new SqliteDatabase(join(directory, 'train.lock'), { timeout: 0 });
  try {
    lock.pragma('journal_mode = DELETE');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    throw new FieldError(
      '--out',
      directory,
      'wait for the training that runs there, or name another directory',
    );
  }
}

/** The first field, such as `learning.nStep`, in which two configurations differ. */
function firstDifference(before: unknown, after: unknown, path: readonly string[] = []): string {
  if (typeof before === 'object' && before !== null && typeof after === 'object' && after !== null) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const key of keys) {
      const [one, other] = [before, after].map((value) => (value as Record<string, unknown>)[key]);
      if (JSON.stringify(one) !== JSON.stringify(other)) return firstDifference(one, other, [...path, key]);
    }
  }
  return path.join('.');
}
