import { z } from 'zod';
import { arrayMemberSchema } from './array.ts';
import { checkEarlier } from './dependencies.ts';
import { diagnosisSchema } from './diagnosis.ts';
import { ConflictError } from './errors.ts';
import {
  defaultName,
  isTerminal,
  type Job,
  type JobStatus,
  jobSchema,
  jobSpecSchema,
  pauserSchema,
  processIdentitySchema,
  progressSchema,
  servedGpuS,
  throttleSchema,
} from './job.ts';
import { HERE, REMOTE_ENDS } from './remote.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';
import { NO_TAGS } from './tags.ts';
import { NO_TERMS } from './terms.ts';

/** Who caused an event: a person, the scheduler, the job's own process, or the engine (recovery, shutdown). */
export const actorSchema = z.enum(['person', 'scheduler', 'process', 'engine']);
export type Actor = z.output<typeof actorSchema>;

/** Why it ended badly; events of an older Stint have none. */
const diagnosis = diagnosisSchema.nullable().optional();

/** The machine's monotonic clock at that moment, see `Job.runClock`. */
const monotonicMs = z.number().optional();
/** It is tried again then, instead of being over. */
const retryAtMs = z.number().optional();

/**
 * Everything that can happen to a job. Appended to the log and never changed; folding a job's events in order
 * gives the job.
 */
export const jobEventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('submitted'), spec: jobSpecSchema, array: arrayMemberSchema.optional() }),
  z.object({ kind: z.literal('held') }),
  z.object({ kind: z.literal('released') }),
  z.object({ kind: z.literal('prioritised'), priority: z.int() }),
  z.object({
    kind: z.literal('moved'),
    rank: z.number(),
    /** Takes the last move back that was not: whether the job had been moved by then. */
    back: z.object({ moved: z.boolean() }).optional(),
  }),
  /** A person keeps it to these devices, or, with null, lets it start anywhere again. */
  z.object({ kind: z.literal('pinned'), devices: z.array(z.string()).nullable() }),
  /** Decided and recorded, before any process exists: `attempt` names the run directory. */
  z.object({
    kind: z.literal('launching'),
    devices: z.array(z.string()),
    attempt: z.int().positive(),
    /** Since when nothing but its turn was missing. */
    readyAtMs: z.number().optional(),
  }),
  /** It turned out that nothing was started: back to the queue. */
  z.object({ kind: z.literal('launch-abandoned'), reason: z.string() }),
  z.object({ kind: z.literal('started'), process: processIdentitySchema, monotonicMs }),
  z.object({ kind: z.literal('progressed'), progress: progressSchema }),
  z.object({
    kind: z.literal('paused'),
    /** The rung that holds it, see engine/control. */
    method: z.string(),
    holdsVram: z.boolean(),
    monotonicMs,
    /** A person, in events that do not say. */
    by: pauserSchema.optional(),
  }),
  z.object({ kind: z.literal('resumed'), monotonicMs }),
  /** Of a paused job: what it had on its GPUs has left them, or is to be there again. */
  z.object({ kind: z.literal('vram'), held: z.boolean() }),
  /** Held at a share of its speed until its attempt ends, or, with null, no more. */
  z.object({ kind: z.literal('throttled'), throttle: throttleSchema.nullable() }),
  /** It was told to write a checkpoint and end; then it waits again, or, where it is to be held, for its release. */
  z.object({ kind: z.literal('preempting'), reason: z.string(), hold: z.boolean() }),
  /** It was told to end; `outcome` is what it will be when it has. */
  z.object({ kind: z.literal('stopping'), outcome: z.enum(['cancelled', 'timed-out']), reason: z.string() }),
  z.object({
    kind: z.literal('exited'),
    exitCode: z.int().min(0).max(255),
    cause: z.string().nullable(),
    diagnosis,
    retryAtMs,
    /** It ended by itself before it heard that it was to give way. */
    untold: z.boolean().optional(),
  }),
  /** Cancelled before it ever ran. */
  z.object({
    kind: z.literal('withdrawn'),
    reason: z.string(),
    /** The same for all that were withdrawn in one go; left out: it was alone. */
    together: z.number().optional(),
  }),
  /** A person took its withdrawal back: it is again what it was before. */
  z.object({
    kind: z.literal('undone'),
    status: z.enum(['queued', 'held']),
    ...jobSchema.pick({ cause: true, diagnosis: true, pausedBy: true, pauseMethod: true }).shape,
  }),
  /** It could not be started at all (no such directory, no permission to spawn). */
  z.object({ kind: z.literal('launch-failed'), reason: z.string(), diagnosis, retryAtMs }),
  /** Its process is gone without leaving an exit code. */
  z.object({ kind: z.literal('lost'), reason: z.string(), diagnosis, retryAtMs }),
  /** Its process was found on a GPU that it was not given. */
  z.object({ kind: z.literal('misplaced'), device: z.string(), reason: z.string() }),
  /** Another queue is about to be asked to take it: recorded first, so that it is looked for there. */
  z.object({
    kind: z.literal('handed'),
    attempt: z.int().positive(),
    token: z.string(),
    index: z.int().nullable(),
  }),
  /** That queue has it, under this number. */
  z.object({ kind: z.literal('taken'), remoteId: z.string() }),
  /** That queue does not have it, and never started it. `hold`: it is for a person to say what becomes of it. */
  z.object({ kind: z.literal('handed-back'), reason: z.string(), hold: z.boolean() }),
  /** It runs there. */
  z.object({ kind: z.literal('began'), nodes: z.array(z.string()) }),
  /** It was taken off its machines there, and waits there again. */
  z.object({ kind: z.literal('requeued'), reason: z.string() }),
  /** It is over there. */
  z.object({
    kind: z.literal('ended'),
    outcome: z.enum(REMOTE_ENDS),
    exitCode: z.int().min(0).max(255).nullable(),
    cause: z.string().nullable(),
    diagnosis,
    retryAtMs,
  }),
  /** A person wants another attempt of a job that was over, perhaps with more memory or with its GPUs to itself. */
  z.object({
    kind: z.literal('retried'),
    vramMib: jobSpecSchema.shape.vramMib.unwrap().optional(),
    exclusive: z.boolean().optional(),
    timeLimitS: jobSpecSchema.shape.timeLimitS.unwrap().optional(),
  }),
]);
export type JobEvent = z.output<typeof jobEventSchema>;
export type JobEventKind = JobEvent['kind'];

/** For each event, the statuses in which it may happen. `submitted` alone makes a job. */
const ALLOWED: Readonly<Record<Exclude<JobEventKind, 'submitted'>, readonly JobStatus[]>> = {
  held: ['queued'],
  released: ['held'],
  prioritised: ['queued', 'held', 'starting', 'running', 'paused', 'stopping'],
  moved: ['queued', 'held'],
  pinned: ['queued', 'held'],
  launching: ['queued'],
  'launch-abandoned': ['starting', 'stopping'],
  started: ['starting', 'stopping'],
  progressed: ['running', 'paused', 'stopping'],
  paused: ['running'],
  resumed: ['paused'],
  vram: ['paused'],
  throttled: ['running', 'paused'],
  preempting: ['running', 'paused'],
  stopping: ['starting', 'running', 'paused'],
  exited: ['starting', 'running', 'paused', 'stopping'],
  withdrawn: ['queued', 'held'],
  undone: ['cancelled'],
  'launch-failed': ['starting', 'stopping'],
  lost: ['starting', 'running', 'paused', 'stopping'],
  misplaced: ['running', 'paused', 'stopping'],
  handed: ['queued'],
  taken: ['queued', 'held', 'stopping'],
  'handed-back': ['queued', 'held', 'stopping'],
  began: ['queued', 'held', 'stopping'],
  requeued: ['running', 'paused', 'stopping'],
  ended: ['queued', 'held', 'running', 'paused', 'stopping'],
  retried: ['succeeded', 'failed', 'cancelled', 'timed-out', 'lost'],
};

/** What happens to a job in another queue, and what happens here alone. */
const ELSEWHERE: ReadonlySet<JobEventKind> = new Set(['taken', 'handed-back', 'began', 'requeued', 'ended']);
const HERE_ALONE: ReadonlySet<JobEventKind> = new Set([
  'launching',
  'pinned',
  'throttled',
  'vram',
  'preempting',
]);

/** Whether `kind` fits where the job is: here, to be handed over, or elsewhere. */
function fitsPlace(job: Pick<Job, 'executor' | 'remote'>, kind: JobEventKind): boolean {
  if (ELSEWHERE.has(kind)) return job.remote !== null;
  if (HERE_ALONE.has(kind)) return job.executor === null;
  if (kind === 'handed') return job.executor !== null && job.remote === null;
  // What another queue has is over only when it is over there.
  return kind !== 'withdrawn' || job.remote === null;
}

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

/**
 * The job that a submission makes. `id` and `rank` are the store's.
 * @throws {FieldError} if it would wait for itself or for what comes after it.
 */
export function createJob(id: number, event: Extract<JobEvent, { kind: 'submitted' }>, atMs: number): Job {
  // Events from before there were terms, surroundings, other queues or tags have none.
  const { hold, name, ...spec } = {
    ...NO_TERMS,
    ...NO_SURROUNDINGS,
    ...HERE,
    ...NO_TAGS,
    ...event.spec,
  };
  checkEarlier(id, spec.after);
  return {
    ...spec,
    id,
    array: event.array ?? null,
    remote: null,
    name: name ?? defaultName(spec.command),
    status: hold ? 'held' : 'queued',
    exitCode: null,
    cause: null,
    diagnosis: null,
    devices: [],
    rank: id,
    moved: false,
    pinnedTo: null,
    submittedAtMs: atMs,
    startedAtMs: null,
    finishedAtMs: null,
    pausedAtMs: null,
    pausedMs: 0,
    holdsVram: null,
    process: null,
    progress: null,
    attempt: 0,
    retried: 0,
    retryWait: null,
    readyAtMs: atMs,
    runClock: null,
    preemptions: 0,
    earlierGpuS: 0,
    pausedBy: null,
    pauseMethod: null,
    throttle: null,
    changedAtMs: null,
  };
}

/**
 * The job after `event`. Pure: the same events give the same job, live, after a restart, and in a replay.
 * @throws {IllegalTransitionError} if the event cannot happen to a job in this status.
 */
export function applyEvent(folded: Folded, event: JobEvent, atMs: number): Folded {
  const { job } = folded;
  // A person's word is above a preemption that is under way.
  const overridden = event.kind === 'stopping' && (isPreempting(folded) || waitsElsewhere(job));
  if (
    event.kind === 'submitted' ||
    !(overridden || mayHappen(job.status, event.kind)) ||
    !fitsPlace(job, event.kind)
  ) {
    throw new IllegalTransitionError(job, event.kind);
  }
  const after = changed(folded, event, atMs);
  const diagnosis = diagnosisAfter(job, event);
  return diagnosis === after.job.diagnosis ? after : next(after, { diagnosis });
}

function changed(folded: Folded, event: Exclude<JobEvent, { kind: 'submitted' }>, atMs: number): Folded {
  const { job } = folded;
  switch (event.kind) {
    case 'held':
      return next(folded, { status: 'held' });
    case 'released':
      return next(folded, { status: 'queued', readyAtMs: atMs, pausedBy: null, pauseMethod: null });
    case 'prioritised':
      return next(folded, { priority: event.priority });
    case 'moved':
      return next(folded, { rank: event.rank, moved: event.back?.moved ?? true });
    case 'pinned':
      return next(folded, { pinnedTo: event.devices });
    case 'launching':
      return next(folded, {
        status: 'starting',
        devices: event.devices,
        attempt: event.attempt,
        readyAtMs: event.readyAtMs ?? job.readyAtMs,
        retryWait: null,
      });
    case 'launch-abandoned':
      if (isPreempting(folded)) return gaveWay(folded, atMs);
      return toldToEnd(folded)
        ? end(folded, { status: toldToEnd(folded)!, cause: folded.job.cause }, atMs)
        : next(folded, { status: 'queued', devices: [], cause: null });
    case 'started':
      return next(folded, {
        status: folded.stoppingAs ? 'stopping' : 'running',
        process: event.process,
        startedAtMs: atMs,
        changedAtMs: atMs,
        runClock: event.monotonicMs === undefined ? null : { ranMs: 0, sinceMs: event.monotonicMs },
      });
    case 'progressed':
      return next(folded, { progress: event.progress });
    case 'paused':
      return next(folded, {
        status: 'paused',
        pausedAtMs: atMs,
        changedAtMs: atMs,
        holdsVram: event.holdsVram,
        pausedBy: event.by ?? 'person',
        pauseMethod: event.method,
        runClock: stoppedClock(job.runClock, event.monotonicMs),
      });
    case 'resumed':
      return next(folded, {
        status: 'running',
        ...unpaused(job, atMs),
        changedAtMs: atMs,
        runClock: runningClock(job.runClock, event.monotonicMs),
      });
    case 'vram':
      return next(folded, { holdsVram: event.held });
    case 'throttled':
      return next(folded, { throttle: event.throttle });
    case 'preempting':
      return {
        job: { ...job, status: 'stopping', cause: event.reason, ...unpaused(job, atMs) },
        stoppingAs: event.hold ? 'parked' : 'preempted',
      };
    case 'stopping':
      return {
        job: { ...job, status: 'stopping', cause: event.reason, ...unpaused(job, atMs) },
        stoppingAs: event.outcome,
      };
    case 'exited': {
      if (isPreempting(folded)) {
        if (!event.untold) return gaveWay(folded, atMs);
        return changed({ job: { ...job, cause: null }, stoppingAs: null }, event, atMs);
      }
      if (event.retryAtMs !== undefined && folded.stoppingAs === null)
        return again(folded, event.cause ?? `exited with code ${event.exitCode}`, atMs, event.retryAtMs);
      const status = toldToEnd(folded) ?? (event.exitCode === 0 ? 'succeeded' : 'failed');
      return end(folded, { status, exitCode: event.exitCode, cause: event.cause ?? job.cause }, atMs);
    }
    case 'withdrawn':
      return end(folded, { status: 'cancelled', cause: event.reason }, atMs);
    case 'undone': {
      // What ran and was told to end is over for good.
      if (job.startedAtMs !== null) throw new IllegalTransitionError(job, event.kind);
      const { kind: _, ...before } = event;
      return next(folded, { ...before, finishedAtMs: null });
    }
    case 'launch-failed':
      if (isPreempting(folded)) return gaveWay(folded, atMs);
      if (event.retryAtMs !== undefined && folded.stoppingAs === null)
        return again(folded, event.reason, atMs, event.retryAtMs);
      return end(folded, { status: toldToEnd(folded) ?? 'failed', cause: event.reason }, atMs);
    case 'lost':
      if (isPreempting(folded)) return gaveWay(folded, atMs);
      if (event.retryAtMs !== undefined && folded.stoppingAs === null)
        return again(folded, event.reason, atMs, event.retryAtMs);
      return end(folded, { status: toldToEnd(folded) ?? 'lost', cause: event.reason }, atMs);
    case 'misplaced':
      return folded;
    case 'handed': {
      const { token, index } = event;
      return next(folded, {
        attempt: event.attempt,
        remote: { token, index, id: null, nodes: [] },
        retryWait: null,
        cause: null,
      });
    }
    case 'taken':
      return next(folded, { remote: { ...job.remote!, id: event.remoteId } });
    case 'handed-back':
      if (toldToEnd(folded)) return end(folded, { status: toldToEnd(folded)! }, atMs);
      return next(folded, {
        status: event.hold ? 'held' : job.status,
        remote: null,
        cause: event.hold ? event.reason : null,
      });
    case 'began':
      return next(folded, {
        status: folded.stoppingAs ? 'stopping' : 'running',
        remote: { ...job.remote!, nodes: event.nodes },
        startedAtMs: atMs,
        changedAtMs: atMs,
      });
    case 'requeued':
      return next(folded, {
        ...BETWEEN_ATTEMPTS,
        status: folded.stoppingAs ? 'stopping' : 'queued',
        remote: job.remote,
        earlierGpuS: servedGpuS(job, atMs),
        readyAtMs: atMs,
        preemptions: job.preemptions + 1,
      });
    case 'ended': {
      const { outcome, exitCode } = event;
      if (event.retryAtMs !== undefined && folded.stoppingAs === null)
        return again(folded, event.cause ?? `exited with code ${exitCode}`, atMs, event.retryAtMs);
      const status = toldToEnd(folded) ?? outcome;
      return end(folded, { status, exitCode, cause: event.cause ?? job.cause }, atMs);
    }
    case 'retried':
      return next(folded, {
        ...BETWEEN_ATTEMPTS,
        readyAtMs: atMs,
        retried: 0,
        earlierGpuS: 0,
        vramMib: event.vramMib ?? job.vramMib,
        exclusive: event.exclusive ?? job.exclusive,
        timeLimitS: event.timeLimitS === undefined ? job.timeLimitS : event.timeLimitS,
      });
  }
}

/**
 * A job with the one thing that a fold must remember beside it: how a stopping job will be called. `preempted` and
 * `parked` are not over then: they wait for their next attempt, or to be released for it.
 */
export interface Folded {
  readonly job: Job;
  readonly stoppingAs: 'cancelled' | 'timed-out' | 'preempted' | 'parked' | null;
}

type Preempting = Folded & { readonly stoppingAs: 'preempted' | 'parked' };

/** True: it goes on later from its checkpoint. */
export function isGivingWay(stoppingAs: Folded['stoppingAs']): stoppingAs is Preempting['stoppingAs'] {
  return stoppingAs === 'preempted' || stoppingAs === 'parked';
}

/** What it will be called when it has ended, if that will be the end of it. */
function toldToEnd({ stoppingAs }: Folded): 'cancelled' | 'timed-out' | null {
  return isGivingWay(stoppingAs) ? null : stoppingAs;
}

/** Another queue has it, or may have it, and it does not run: to be told to end like one that runs. */
const waitsElsewhere = ({ status, remote }: Job): boolean =>
  remote !== null && (status === 'queued' || status === 'held');

function isPreempting(folded: Folded): folded is Preempting {
  return isGivingWay(folded.stoppingAs);
}

/** Whatever its exit code: many save and end with 0. It counts neither as a failure nor as a retry. */
function gaveWay({ job, stoppingAs }: Preempting, atMs: number): Folded {
  const parked = stoppingAs === 'parked';
  const after: Job = {
    ...job,
    ...BETWEEN_ATTEMPTS,
    earlierGpuS: servedGpuS(job, atMs),
    readyAtMs: atMs,
    moved: false,
  };
  if (!parked) return { job: { ...after, preemptions: job.preemptions + 1 }, stoppingAs: null };
  return {
    job: { ...after, status: 'held', pausedBy: 'person', pauseMethod: 'checkpoint' },
    stoppingAs: null,
  };
}

/** What is known of the last end is known until the next attempt. */
function diagnosisAfter(job: Job, event: JobEvent): Job['diagnosis'] {
  if (event.kind === 'undone') return event.diagnosis;
  if (
    event.kind === 'exited' ||
    event.kind === 'launch-failed' ||
    event.kind === 'lost' ||
    event.kind === 'ended'
  ) {
    return event.diagnosis ?? null;
  }
  return event.kind === 'launching' || event.kind === 'handed' || event.kind === 'withdrawn'
    ? null
    : job.diagnosis;
}

function next(folded: Folded, change: Partial<Job>): Folded {
  return { job: { ...folded.job, ...change }, stoppingAs: folded.stoppingAs };
}

/** Of a job that waits for another attempt: nothing is left of the last but its events and its folder. */
const BETWEEN_ATTEMPTS = {
  status: 'queued',
  exitCode: null,
  cause: null,
  devices: [],
  remote: null,
  startedAtMs: null,
  finishedAtMs: null,
  pausedAtMs: null,
  pausedMs: 0,
  holdsVram: null,
  process: null,
  progress: null,
  runClock: null,
  retryWait: null,
  pausedBy: null,
  pauseMethod: null,
  throttle: null,
  changedAtMs: null,
} satisfies Partial<Job>;

function again(folded: Folded, because: string, atMs: number, untilMs: number): Folded {
  const retryWait = { fromMs: atMs, untilMs, because };
  return next(folded, {
    ...BETWEEN_ATTEMPTS,
    earlierGpuS: servedGpuS(folded.job, atMs),
    retryWait,
    readyAtMs: untilMs,
    retried: folded.job.retried + 1,
  });
}

/** null where one of the two moments is unknown: the wall clock has to do then. */
function stoppedClock(clock: Job['runClock'], atMs: number | undefined): Job['runClock'] {
  if (clock === null || clock.sinceMs === null || atMs === undefined) return null;
  return { ranMs: clock.ranMs + Math.max(0, atMs - clock.sinceMs), sinceMs: null };
}

function runningClock(clock: Job['runClock'], atMs: number | undefined): Job['runClock'] {
  return clock === null || atMs === undefined ? null : { ranMs: clock.ranMs, sinceMs: atMs };
}

function end(folded: Folded, change: Pick<Job, 'status'> & Partial<Job>, atMs: number): Folded {
  if (!isTerminal(change.status)) throw new Error(`${change.status} is not an end`);
  // Where the clock was set back meanwhile, a job still does not end before it began.
  const finishedAtMs = Math.max(atMs, folded.job.startedAtMs ?? folded.job.submittedAtMs);
  const ended = { ...folded.job, ...unpaused(folded.job, atMs), throttle: null, changedAtMs: null };
  return { job: { ...ended, ...change, finishedAtMs }, stoppingAs: null };
}

function unpaused(
  job: Job,
  atMs: number,
): Pick<Job, 'pausedAtMs' | 'pausedMs' | 'holdsVram' | 'pausedBy' | 'pauseMethod'> {
  const pausedMs = job.pausedAtMs === null ? job.pausedMs : job.pausedMs + Math.max(0, atMs - job.pausedAtMs);
  return { pausedAtMs: null, pausedMs, holdsVram: null, pausedBy: null, pauseMethod: null };
}
