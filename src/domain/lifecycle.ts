import { z } from 'zod';
import { ConflictError } from './errors.ts';
import {
  defaultName,
  isTerminal,
  type Job,
  type JobStatus,
  jobSpecSchema,
  processIdentitySchema,
  progressSchema,
} from './job.ts';

/** Who caused an event: a person, the scheduler, the job's own process, or the engine (recovery, shutdown). */
export const actorSchema = z.enum(['person', 'scheduler', 'process', 'engine']);
export type Actor = z.output<typeof actorSchema>;

/**
 * Everything that can happen to a job. Appended to the log and never changed; folding a job's events in order
 * gives the job.
 */
export const jobEventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('submitted'), spec: jobSpecSchema }),
  z.object({ kind: z.literal('held') }),
  z.object({ kind: z.literal('released') }),
  z.object({ kind: z.literal('prioritised'), priority: z.int() }),
  z.object({ kind: z.literal('moved'), rank: z.number() }),
  /** Decided and recorded, before any process exists: `attempt` names the run directory. */
  z.object({ kind: z.literal('launching'), devices: z.array(z.string()), attempt: z.int().positive() }),
  /** It turned out that nothing was started: back to the queue. */
  z.object({ kind: z.literal('launch-abandoned'), reason: z.string() }),
  z.object({ kind: z.literal('started'), process: processIdentitySchema }),
  z.object({ kind: z.literal('progressed'), progress: progressSchema }),
  z.object({ kind: z.literal('paused'), method: z.string(), holdsVram: z.boolean() }),
  z.object({ kind: z.literal('resumed') }),
  /** It was told to end; `outcome` is what it will be when it has. */
  z.object({ kind: z.literal('stopping'), outcome: z.enum(['cancelled', 'timed-out']), reason: z.string() }),
  z.object({ kind: z.literal('exited'), exitCode: z.int().min(0).max(255), cause: z.string().nullable() }),
  /** Cancelled before it ever ran. */
  z.object({ kind: z.literal('withdrawn'), reason: z.string() }),
  /** It could not be started at all (no such directory, no permission to spawn). */
  z.object({ kind: z.literal('launch-failed'), reason: z.string() }),
  /** Its process is gone without leaving an exit code. */
  z.object({ kind: z.literal('lost'), reason: z.string() }),
]);
export type JobEvent = z.output<typeof jobEventSchema>;
export type JobEventKind = JobEvent['kind'];

/** For each event, the statuses in which it may happen. `submitted` alone makes a job. */
const ALLOWED: Readonly<Record<Exclude<JobEventKind, 'submitted'>, readonly JobStatus[]>> = {
  held: ['queued'],
  released: ['held'],
  prioritised: ['queued', 'held', 'starting', 'running', 'paused', 'stopping'],
  moved: ['queued', 'held'],
  launching: ['queued'],
  'launch-abandoned': ['starting', 'stopping'],
  started: ['starting', 'stopping'],
  progressed: ['running', 'paused', 'stopping'],
  paused: ['running'],
  resumed: ['paused'],
  stopping: ['starting', 'running', 'paused'],
  exited: ['starting', 'running', 'paused', 'stopping'],
  withdrawn: ['queued', 'held'],
  'launch-failed': ['starting', 'stopping'],
  lost: ['starting', 'running', 'paused', 'stopping'],
};

/** True if `kind` may happen to a job that is `status`. */
export function mayHappen(status: JobStatus, kind: Exclude<JobEventKind, 'submitted'>): boolean {
  return ALLOWED[kind].includes(status);
}

/** The event does not fit the job's status. Nothing was changed. */
export class IllegalTransitionError extends ConflictError {
  readonly status: JobStatus;
  readonly kind: JobEventKind;

  constructor(job: Pick<Job, 'id' | 'status'>, kind: JobEventKind) {
    const expected = kind === 'submitted' ? 'no job' : ALLOWED[kind].join(' or ');
    super(`job ${job.id} is ${job.status}, so it cannot be ${kind}`, `that needs it to be ${expected}`);
    this.status = job.status;
    this.kind = kind;
  }
}

/** The job that a submission makes. `id` and `rank` are the store's. */
export function createJob(id: number, event: Extract<JobEvent, { kind: 'submitted' }>, atMs: number): Job {
  const { hold, name, ...spec } = event.spec;
  return {
    ...spec,
    id,
    name: name ?? defaultName(spec.command),
    status: hold ? 'held' : 'queued',
    exitCode: null,
    cause: null,
    devices: [],
    rank: id,
    moved: false,
    submittedAtMs: atMs,
    startedAtMs: null,
    finishedAtMs: null,
    pausedAtMs: null,
    pausedMs: 0,
    holdsVram: null,
    process: null,
    progress: null,
    attempt: 0,
  };
}

/**
 * The job after `event`. Pure: the same events give the same job, live, after a restart, and in a replay.
 * @throws {IllegalTransitionError} if the event cannot happen to a job in this status.
 */
export function applyEvent(folded: Folded, event: JobEvent, atMs: number): Folded {
  const { job } = folded;
  if (event.kind === 'submitted' || !mayHappen(job.status, event.kind)) {
    throw new IllegalTransitionError(job, event.kind);
  }
  switch (event.kind) {
    case 'held':
      return next(folded, { status: 'held' });
    case 'released':
      return next(folded, { status: 'queued' });
    case 'prioritised':
      return next(folded, { priority: event.priority });
    case 'moved':
      return next(folded, { rank: event.rank, moved: true });
    case 'launching':
      return next(folded, { status: 'starting', devices: event.devices, attempt: event.attempt });
    case 'launch-abandoned':
      return folded.stoppingAs
        ? end(folded, { status: folded.stoppingAs, cause: folded.job.cause }, atMs)
        : next(folded, { status: 'queued', devices: [], cause: null });
    case 'started':
      return next(folded, {
        status: folded.stoppingAs ? 'stopping' : 'running',
        process: event.process,
        startedAtMs: atMs,
      });
    case 'progressed':
      return next(folded, { progress: event.progress });
    case 'paused':
      return next(folded, { status: 'paused', pausedAtMs: atMs, holdsVram: event.holdsVram });
    case 'resumed':
      return next(folded, { status: 'running', ...unpaused(job, atMs) });
    case 'stopping':
      return {
        job: { ...job, status: 'stopping', cause: event.reason, ...unpaused(job, atMs) },
        stoppingAs: event.outcome,
      };
    case 'exited': {
      const status = folded.stoppingAs ?? (event.exitCode === 0 ? 'succeeded' : 'failed');
      return end(folded, { status, exitCode: event.exitCode, cause: event.cause ?? job.cause }, atMs);
    }
    case 'withdrawn':
      return end(folded, { status: 'cancelled', cause: event.reason }, atMs);
    case 'launch-failed':
      return end(folded, { status: folded.stoppingAs ?? 'failed', cause: event.reason }, atMs);
    case 'lost':
      return end(folded, { status: folded.stoppingAs ?? 'lost', cause: event.reason }, atMs);
  }
}

/** A job with the one thing that a fold must remember beside it: how a stopping job will be called. */
export interface Folded {
  readonly job: Job;
  readonly stoppingAs: 'cancelled' | 'timed-out' | null;
}

function next(folded: Folded, change: Partial<Job>): Folded {
  return { job: { ...folded.job, ...change }, stoppingAs: folded.stoppingAs };
}

function end(folded: Folded, change: Pick<Job, 'status'> & Partial<Job>, atMs: number): Folded {
  if (!isTerminal(change.status)) throw new Error(`${change.status} is not an end`);
  // Where the clock was set back meanwhile, a job still does not end before it began.
  const finishedAtMs = Math.max(atMs, folded.job.startedAtMs ?? folded.job.submittedAtMs);
  return { job: { ...folded.job, ...unpaused(folded.job, atMs), ...change, finishedAtMs }, stoppingAs: null };
}

function unpaused(job: Job, atMs: number): Pick<Job, 'pausedAtMs' | 'pausedMs' | 'holdsVram'> {
  const pausedMs = job.pausedAtMs === null ? job.pausedMs : job.pausedMs + Math.max(0, atMs - job.pausedAtMs);
  return { pausedAtMs: null, pausedMs, holdsVram: null };
}
