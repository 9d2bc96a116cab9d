import { createHash } from 'node:crypto';
import { isTerminal, type Job, type JobStatus } from '../../domain/job.ts';
import { applyEvent, createJob, type Folded, type JobEvent } from '../../domain/lifecycle.ts';
import type { StoredEvent } from '../store/jobStore.ts';

type Value = string | number | boolean | readonly string[];
type Values = Record<string, Value>;

/** A stretch of a job's life, in the words of OpenTelemetry. */
export interface Span {
  /** 8 bytes, in hexadecimal. */
  readonly id: string;
  /** null: the root. */
  readonly parentId: string | null;
  readonly name: SpanName;
  readonly startMs: number;
  endMs: number;
  readonly attributes: Values;
  readonly events: { readonly name: string; readonly atMs: number; readonly attributes: Values }[];
  /** What went wrong; null: nothing. */
  error: string | null;
}
type SpanName = 'job' | 'queue' | 'held' | 'attempt' | 'start' | 'run' | 'pause';

/** A job's life from its submission, or from the moment it was taken up again, to its end. */
export interface Trace {
  /** 16 bytes, in hexadecimal. */
  readonly id: string;
  /** The root first. */
  readonly spans: readonly Span[];
  /** Root of the trace of its life before, where it was over and is tried again. */
  readonly earlier: { readonly traceId: string; readonly spanId: string } | null;
}

/** A job that is paused and resumed for ever shall fit into a request. */
const MOST_SPANS = 500;
const MOST_EVENTS = 100;

/** What is open below the root while a job is so. */
const LAYERS: Readonly<Record<JobStatus, readonly SpanName[]>> = {
  queued: ['queue'],
  held: ['held'],
  starting: ['attempt', 'start'],
  running: ['attempt', 'run'],
  paused: ['attempt', 'run', 'pause'],
  stopping: ['attempt', 'run'],
  succeeded: [],
  failed: [],
  cancelled: [],
  'timed-out': [],
  lost: [],
};
const BAD_ENDS: ReadonlySet<JobStatus> = new Set(['failed', 'timed-out', 'lost']);

/**
 * The life of a job that ends with the last of these events, from the events alone: the same ones give the same trace with the
 * same numbers, however often and by whichever engine it is made.
 * @param entries all of the job until then, in order.
 * @param seed what tells this installation from others.
 * @returns null where it is not over then.
 */
export function jobTrace(entries: readonly StoredEvent[], seed: string): Trace | null {
  let folded: Folded | null = null;
  let life = new Life(seed, 0, 0, 0, null);
  let lives = 0;
  for (const { event, atMs, jobId } of entries) {
    const before: Folded | null = folded;
    if (event.kind === 'submitted') {
      folded = { job: createJob(jobId, event, atMs), stoppingAs: null };
      life = new Life(seed, jobId, lives++, atMs, null);
    } else {
      if (before === null) return null;
      folded = applyEvent(before, event, atMs);
      // What was over was told; from here on it is another life.
      if (isTerminal(before.job.status) && !isTerminal(folded.job.status))
        life = new Life(seed, jobId, lives++, atMs, life.root);
    }
    life.goOn(before?.job ?? null, folded.job, event, atMs);
  }
  return folded !== null && isTerminal(folded.job.status) ? life.trace : null;
}

/** Spans as they open and close. */
class Life {
  readonly #traceId: string;
  readonly #spans: Span[] = [];
  readonly #open: Span[] = [];
  readonly #earlier: Trace['earlier'];
  #dropped = 0;

  constructor(seed: string, jobId: number, number: number, atMs: number, earlier: Trace['earlier']) {
    this.#traceId = digest(`${seed} ${jobId} ${number}`, 16);
    this.#earlier = earlier;
    this.#begin('job', atMs);
  }

  get root(): NonNullable<Trace['earlier']> {
    return { traceId: this.#traceId, spanId: this.#spans[0]!.id };
  }

  get trace(): Trace {
    return { id: this.#traceId, spans: this.#spans, earlier: this.#earlier };
  }

  goOn(before: Job | null, after: Job, event: JobEvent, atMs: number): void {
    const over = isTerminal(after.status);
    // One that was stopped before it ran has run for no time.
    const wanted: readonly SpanName[] =
      after.status === 'stopping' && this.#open.at(-1)?.name === 'start'
        ? LAYERS.starting
        : LAYERS[after.status];
    const same =
      before?.attempt !== after.attempt && this.#open[1]?.name === 'attempt' ? 0 : this.#inCommon(wanted);
    while (this.#open.length - 1 > same) this.#end(before ?? after, event, atMs);
    for (const name of wanted.slice(same)) {
      const span = this.#begin(name, atMs);
      if (name === 'attempt') Object.assign(span.attributes, attemptValues(after));
    }
    this.#mark(event, atMs);
    if (!over) return;
    const root = this.#open.pop()!;
    root.endMs = Math.max(root.startMs, atMs);
    Object.assign(
      root.attributes,
      jobValues(after),
      this.#dropped > 0 ? { 'stint.dropped_spans': this.#dropped } : {},
    );
    if (BAD_ENDS.has(after.status)) root.error = after.cause ?? after.status;
  }

  #inCommon(wanted: readonly SpanName[]): number {
    const below = this.#open.slice(1);
    const differs = wanted.findIndex((name, at) => below[at]?.name !== name);
    return differs < 0 ? wanted.length : differs;
  }

  #begin(name: SpanName, startMs: number): Span {
    const span: Span = {
      id: digest(`${this.#traceId} ${this.#spans.length + this.#dropped}`, 8),
      parentId: this.#open.at(-1)?.id ?? null,
      name,
      startMs,
      endMs: startMs,
      attributes: {},
      events: [],
      error: null,
    };
    if (this.#spans.length < MOST_SPANS) this.#spans.push(span);
    else this.#dropped++;
    this.#open.push(span);
    return span;
  }

  #end(job: Job, event: JobEvent, atMs: number): void {
    const span = this.#open.pop()!;
    // The wall's clock may have been set back.
    span.endMs = Math.max(span.startMs, atMs);
    if (span.name === 'pause') span.attributes['stint.pause.method'] = job.pauseMethod ?? '';
    if (span.name === 'pause' && job.pausedBy !== null) span.attributes['stint.pause.by'] = job.pausedBy;
    if (span.name !== 'attempt') return;
    if (event.kind === 'exited' || event.kind === 'ended') {
      if (event.exitCode !== null) span.attributes['stint.exit_code'] = event.exitCode;
      if (event.exitCode !== 0 && job.status !== 'stopping')
        span.error =
          event.cause ?? (event.exitCode === null ? 'ended' : `exited with code ${event.exitCode}`);
    }
    if (event.kind === 'lost' || event.kind === 'launch-failed') span.error = event.reason;
  }

  /** What happens within a stretch. */
  #mark(event: JobEvent, atMs: number): void {
    const span = this.#open.at(-1);
    if (span === undefined || span.events.length >= MOST_EVENTS) return;
    const mark = (attributes: Values): void => {
      span.events.push({ name: event.kind, atMs, attributes });
    };
    switch (event.kind) {
      case 'preempting':
      case 'stopping':
      case 'misplaced':
      case 'requeued':
      case 'launch-abandoned':
        return mark({ 'stint.reason': event.reason });
      case 'throttled':
        return mark({ 'stint.share': event.throttle?.share ?? 1 });
      case 'prioritised':
        return mark({ 'stint.job.priority': event.priority });
    }
  }
}

const attemptValues = (job: Job): Values => ({
  'stint.attempt': job.attempt,
  'stint.devices': job.devices,
  ...(job.executor === null
    ? {}
    : { 'stint.executor': job.executor, 'stint.nodes': job.remote?.nodes ?? [] }),
});

function jobValues(job: Job): Values {
  return {
    'stint.job.id': job.id,
    'stint.job.name': job.name,
    'stint.job.status': job.status,
    'stint.job.user': job.user,
    'stint.job.priority': job.priority,
    'stint.job.attempts': job.attempt,
    ...(job.project === null ? {} : { 'stint.job.project': job.project }),
    ...(job.tags.length === 0 ? {} : { 'stint.job.tags': job.tags }),
    ...(job.array === null ? {} : { 'stint.array.id': job.array.id, 'stint.array.index': job.array.index }),
    ...(job.exitCode === null ? {} : { 'stint.exit_code': job.exitCode }),
    ...(job.cause === null ? {} : { 'stint.cause': job.cause }),
  };
}

const digest = (text: string, bytes: number): string =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, 2 * bytes);
