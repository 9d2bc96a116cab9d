import { gpusOf, type Job } from '../../domain/job.ts';
import type { PastJob } from '../../domain/pastJob.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import type { Database } from './database.ts';

/** Where a page of the history ended: the last job that was looked at. */
export interface HistoryCursor {
  readonly finishedAtMs: number;
  readonly id: number;
}

/** A command's name may be as long as a path, and a job's name is at most as long. */
const LONGEST_COMMAND = 200;
const LARGEST_READABLE = Number.MAX_SAFE_INTEGER;

interface Row {
  readonly id: number;
  readonly submitted_at_ms: number;
  readonly finished_at_ms: number;
  readonly body: string;
}

/** Jobs that are over, with what else the record knows of them. Reads only. */
export function historyStore(db: Database) {
  // The index on the end of jobs, backwards: a page costs what is on it, however long the history is.
  const page = db.prepare<[number, number, number], Row>(
    `SELECT id, submitted_at_ms, finished_at_ms, body FROM jobs
     WHERE finished_at_ms IS NOT NULL AND (finished_at_ms, id) > (?, ?) ORDER BY finished_at_ms, id LIMIT ?`,
  );
  const backwards = db.prepare<[number], { body: string }>(
    'SELECT body FROM jobs WHERE finished_at_ms IS NOT NULL ORDER BY finished_at_ms DESC, id DESC LIMIT ?',
  );
  const launchedBy = db.prepare<[number], { policy: string }>(
    'SELECT policy FROM decisions WHERE job_id = ? ORDER BY id DESC LIMIT 1',
  );
  const oldestSample = db.prepare<[], { at_ms: number | null }>('SELECT min(at_ms) AS at_ms FROM samples');
  const sharedWith = db.prepare<[number, string, number, number], { job_id: number }>(
    `SELECT job_id FROM allocations WHERE (end_ms IS NULL OR end_ms > ?) AND device_id = ? AND job_id <> ? AND start_ms < ?
     LIMIT 1`,
  );
  // A virtual device only repeats what its jobs declared.
  const peak = db.prepare<[string, number, number], { mib: number | null }>(
    `SELECT max(memory_used_mib) AS mib FROM samples JOIN devices ON devices.id = device_id AND kind <> 'virtual'
     WHERE device_id = ? AND at_ms >= ? AND at_ms <= ?`,
  );

  function peakMib(
    { id, devices, startedAtMs }: Job,
    finishedAtMs: number,
    sampledMs: number,
  ): number | null {
    if (startedAtMs === null || finishedAtMs < sampledMs) return null;
    let mib: number | null = null;
    for (const device of devices) {
      if (sharedWith.get(startedAtMs, device, id, finishedAtMs) !== undefined) return null;
      const seen = peak.get(device, startedAtMs, finishedAtMs)!.mib;
      if (seen !== null) mib = Math.max(mib ?? 0, seen);
    }
    return mib;
  }

  function pastJob(job: Job, finishedAtMs: number, sampledMs: number): PastJob {
    const { id, name, user, devices, vramMib, exclusive, priority, moved, estimateS } = job;
    const { status, exitCode, submittedAtMs, startedAtMs, pausedMs } = job;
    return {
      id,
      name,
      user,
      command: (job.command[0] ?? '').split('/').at(-1)!.slice(0, LONGEST_COMMAND),
      gpus: gpusOf(job),
      devices,
      vramMib,
      exclusive,
      priority,
      moved,
      estimateS,
      status,
      exitCode,
      submittedAtMs,
      // One that was withdrawn while it was to be tried again later was never ready.
      readyAtMs: Math.min(Math.max(submittedAtMs, job.readyAtMs), startedAtMs ?? finishedAtMs),
      startedAtMs,
      finishedAtMs,
      runS: runSeconds(job, finishedAtMs),
      pausedS: pausedMs / 1000,
      peakMib: peakMib(job, finishedAtMs, sampledMs),
      policy: startedAtMs === null ? null : (launchedBy.get(id)?.policy ?? null),
    };
  }

  return {
    /** Of the jobs that ended last those that ran on this machine, the latest first. */
    *latest(limit: number): Generator<Job> {
      for (const { body } of backwards.iterate(limit)) {
        const job = JSON.parse(body) as Job;
        if (job.executor === null) yield job;
      }
    },

    /** Jobs that ended in [fromMs, toMs), by their end, a page after another as `jobs`. */
    ended(
      fromMs: number,
      toMs: number,
      limit: number,
      after: HistoryCursor | null,
    ): { jobs: Job[]; next: HistoryCursor | null } {
      const from = after ?? { finishedAtMs: Math.ceil(fromMs) - 1, id: LARGEST_READABLE };
      const rows = page.all(from.finishedAtMs, from.id, limit);
      const within = rows.filter((row) => row.finished_at_ms < toMs);
      const last = within.at(-1);
      return {
        jobs: within.map(({ body }) => JSON.parse(body) as Job),
        next:
          last === undefined || within.length < limit
            ? null
            : { finishedAtMs: last.finished_at_ms, id: last.id },
      };
    },

    /**
     * Jobs of this machine that are over and were in the system at some time in [fromMs, toMs), by their end. A page looks at
     * `limit` jobs, and may have fewer of them, or none, though more follow.
     * @param after where the page before ended; null for the first.
     * @returns with where to go on; null: that was all.
     */
    jobs(
      fromMs: number,
      toMs: number,
      limit: number,
      after: HistoryCursor | null,
    ): { jobs: PastJob[]; next: HistoryCursor | null } {
      const from = after ?? { finishedAtMs: Math.ceil(fromMs), id: 0 };
      const sampledMs = oldestSample.get()!.at_ms ?? LARGEST_READABLE;
      const jobs: PastJob[] = [];
      let looked = 0;
      let last = from;
      // One body at a time: an environment may be large.
      for (const row of page.iterate(from.finishedAtMs, from.id, limit)) {
        looked++;
        last = { finishedAtMs: row.finished_at_ms, id: row.id };
        if (row.submitted_at_ms >= toMs) continue;
        const job = JSON.parse(row.body) as Job;
        if (job.executor === null) jobs.push(pastJob(job, row.finished_at_ms, sampledMs));
      }
      return { jobs, next: looked < limit ? null : last };
    },
  };
}
export type HistoryStore = ReturnType<typeof historyStore>;
