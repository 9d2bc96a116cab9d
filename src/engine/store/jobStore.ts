import type { Deputy } from '../../domain/deputy.ts';
import type { Job, JobStatus } from '../../domain/job.ts';
import type { Actor, Folded, JobEvent } from '../../domain/lifecycle.ts';
import type { Database } from './database.ts';

/** A stored event; `seq` orders all events of the machine. */
export interface StoredEvent {
  readonly seq: number;
  readonly jobId: number;
  readonly atMs: number;
  readonly actor: Actor;
  /** Through whom the person acted who caused it; null: by that person's own hand, or nobody's. */
  readonly by: Deputy | null;
  readonly event: JobEvent;
}

export interface StoredAllocation {
  readonly jobId: number;
  readonly deviceId: string;
  readonly startMs: number;
  readonly endMs: number | null;
}

/** Jobs of one array that have the same status. */
export interface ArrayStanding {
  readonly status: JobStatus;
  readonly n: number;
  /** When the last of them ended, Unix milliseconds; null: they are not over. */
  readonly ended: number | null;
}

interface JobRow {
  readonly body: string;
  readonly stopping_as: Folded['stoppingAs'];
}

interface EventRow {
  readonly seq: number;
  readonly job_id: number;
  readonly at_ms: number;
  readonly actor: Actor;
  readonly deputy: string | null;
  readonly body: string;
}

const LIVE_STATUSES = `('queued', 'held', 'starting', 'running', 'paused', 'stopping')`;

/** Reads of jobs and their events. */
export function jobReader(db: Database) {
  const one = db.prepare<[number], JobRow>('SELECT body, stopping_as FROM jobs WHERE id = ?');
  const unfinished = db.prepare<[], JobRow>(
    `SELECT body, stopping_as FROM jobs WHERE status IN ${LIVE_STATUSES} ORDER BY rank, id`,
  );
  const finished = db.prepare<[number, number], JobRow>(
    'SELECT body, stopping_as FROM jobs WHERE finished_at_ms IS NOT NULL ORDER BY finished_at_ms DESC, id DESC LIMIT ? OFFSET ?',
  );
  const countFinished = db.prepare<[], { n: number }>(
    'SELECT count(*) AS n FROM jobs WHERE finished_at_ms IS NOT NULL',
  );
  const byStatus = db.prepare<[], { status: JobStatus; n: number }>(
    'SELECT status, count(*) AS n FROM jobs GROUP BY status',
  );
  const eventsOf = db.prepare<[number], EventRow>('SELECT * FROM job_events WHERE job_id = ? ORDER BY seq');
  const eventsAfter = db.prepare<[number, number, number], EventRow>(
    'SELECT * FROM job_events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
  );
  const lastOf = db.prepare<[number], EventRow>(
    'SELECT * FROM job_events WHERE job_id = ? ORDER BY seq DESC LIMIT 1',
  );
  const membersOf = db.prepare<[number], JobRow>(
    'SELECT body, stopping_as FROM jobs WHERE array_id = ? ORDER BY id',
  );
  const standingOf = db.prepare<[number], { status: JobStatus; n: number; ended: number | null }>(
    'SELECT status, count(*) AS n, max(finished_at_ms) AS ended FROM jobs WHERE array_id = ? GROUP BY status',
  );
  const lastSeq = db.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM job_events');
  const allocations = db.prepare<
    [number],
    { job_id: number; device_id: string; start_ms: number; end_ms: number | null }
  >('SELECT * FROM allocations WHERE end_ms IS NULL OR end_ms >= ? ORDER BY start_ms, job_id');
  const folded = (row: JobRow): Folded => ({ job: JSON.parse(row.body) as Job, stoppingAs: row.stopping_as });
  const stored = (row: EventRow): StoredEvent => ({
    seq: row.seq,
    jobId: row.job_id,
    atMs: row.at_ms,
    actor: row.actor,
    by: row.deputy === null ? null : (JSON.parse(row.deputy) as Deputy),
    event: JSON.parse(row.body) as JobEvent,
  });
  return {
    get(id: number): Folded | null {
      const row = one.get(id);
      return row ? folded(row) : null;
    },
    unfinished: (): Folded[] => unfinished.all().map(folded),
    /** Those that are over, latest first. */
    finished: (limit: number, offset: number): Job[] =>
      finished.all(limit, offset).map((row) => folded(row).job),
    countFinished: (): number => countFinished.get()!.n,
    countByStatus: (): ReadonlyMap<JobStatus, number> =>
      new Map(byStatus.all().map(({ status, n }) => [status, n])),
    /** Those that are over, of these statuses, latest first, with their number. */
    finishedByStatus(
      statuses: readonly JobStatus[],
      limit: number,
      offset: number,
    ): { jobs: Job[]; total: number } {
      const marks = statuses.map(() => '?').join(', ');
      const where = `FROM jobs WHERE finished_at_ms IS NOT NULL AND status IN (${marks})`;
      const rows = db
        .prepare<unknown[], JobRow>(
          `SELECT body, stopping_as ${where} ORDER BY finished_at_ms DESC, id DESC LIMIT ? OFFSET ?`,
        )
        .all(...statuses, limit, offset);
      const total = db.prepare<unknown[], { n: number }>(`SELECT count(*) AS n ${where}`).get(...statuses)!.n;
      return { jobs: rows.map((row) => folded(row).job), total };
    },
    /** The jobs of an array, by number; empty: there is no such array. */
    arrayJobs: (arrayId: number): Job[] => membersOf.all(arrayId).map((row) => folded(row).job),
    /** How many jobs of an array have which status, and when the last of these ended. */
    arrayStanding: (arrayId: number): readonly ArrayStanding[] => standingOf.all(arrayId),
    events: (id: number): StoredEvent[] => eventsOf.all(id).map(stored),
    lastEvent(id: number): StoredEvent | null {
      const row = lastOf.get(id);
      return row ? stored(row) : null;
    },
    /** Events of these kinds after `seq`, in order. */
    eventsSince(seq: number, kinds: readonly JobEvent['kind'][]): StoredEvent[] {
      const marks = kinds.map(() => '?').join(', ');
      return db
        .prepare<unknown[], EventRow>(
          `SELECT * FROM job_events WHERE seq > ? AND kind IN (${marks}) ORDER BY seq`,
        )
        .all(seq, ...kinds)
        .map(stored);
    },
    /** Events with after < seq ≤ upTo, at most `limit`. */
    eventsAfter: (after: number, upTo: number, limit: number): StoredEvent[] =>
      eventsAfter.all(after, upTo, limit).map(stored),
    lastSeq: (): number => lastSeq.get()!.seq ?? 0,
    /** Whatever overlaps [sinceMs, now]. */
    allocations: (sinceMs: number): StoredAllocation[] =>
      allocations.all(sinceMs).map((row) => ({
        jobId: row.job_id,
        deviceId: row.device_id,
        startMs: row.start_ms,
        endMs: row.end_ms,
      })),
  };
}
export type JobReader = ReturnType<typeof jobReader>;

/** Writes of jobs and their events. Only `jobs/ledger` calls it, inside a transaction. */
export function jobWriter(db: Database) {
  const insertJob = db.prepare<[number]>(
    `INSERT INTO jobs (status, rank, submitted_at_ms, body) VALUES ('queued', 0, ?, '{}')`,
  );
  const updateJob = db.prepare<[string, number, number | null, string | null, string, number]>(
    'UPDATE jobs SET status = ?, rank = ?, finished_at_ms = ?, stopping_as = ?, body = ? WHERE id = ?',
  );
  const setArray = db.prepare<[number, number]>('UPDATE jobs SET array_id = ? WHERE id = ?');
  const insertCodeDue = db.prepare<[number]>('INSERT INTO code_due (submission_id) VALUES (?)');
  const insertEvent = db.prepare<[number, number, string, string | null, string, string]>(
    'INSERT INTO job_events (job_id, at_ms, actor, deputy, kind, body) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const openAllocation = db.prepare<[number, number, string, number]>(
    'INSERT INTO allocations (job_id, attempt, device_id, start_ms) VALUES (?, ?, ?, ?)',
  );
  const closeAllocations = db.prepare<[number, number]>(
    'UPDATE allocations SET end_ms = ? WHERE job_id = ? AND end_ms IS NULL',
  );
  return {
    /** A new job's number. */
    allocateId: (atMs: number): number => Number(insertJob.run(atMs).lastInsertRowid),
    joinArray: (id: number, arrayId: number): void => void setArray.run(arrayId, id),
    /** What the code of this submission is will be recorded, whatever becomes of the engine meanwhile. */
    oweCode: (submissionId: number): void => void insertCodeDue.run(submissionId),
    project({ job, stoppingAs }: Folded): void {
      updateJob.run(job.status, job.rank, job.finishedAtMs, stoppingAs, JSON.stringify(job), job.id);
    },
    append({ jobId, atMs, actor, by, event }: Omit<StoredEvent, 'seq'>): number {
      const deputy = by === null ? null : JSON.stringify(by);
      const row = insertEvent.run(jobId, atMs, actor, deputy, event.kind, JSON.stringify(event));
      return Number(row.lastInsertRowid);
    },
    openAllocations(job: Job, atMs: number): void {
      for (const deviceId of job.devices) openAllocation.run(job.id, job.attempt, deviceId, atMs);
    },
    closeAllocations: (jobId: number, atMs: number): void => void closeAllocations.run(atMs, jobId),
  };
}
