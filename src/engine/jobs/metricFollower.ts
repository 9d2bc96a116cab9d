import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../../domain/errors.ts';
import { isLive, type Job } from '../../domain/job.ts';
import { type MetricPoint, MetricReader } from '../../domain/metrics.ts';
import type { Clock, Log } from '../ports.ts';
import type { MetricStore, Reading } from '../store/metricStore.ts';
import type { Ledger } from './ledger.ts';

/** How often the output of running jobs is looked at. */
const INTERVAL_MS = 500;
/** So much of a log is read at once: strings above 128 KiB are several times as dear a byte, each in a heap page of its own. */
const PIECE_BYTES = 64 * 1024;
/** Of so many pieces points are recorded together; other work comes before the next. */
const PIECES_A_LOOK = 4;
const PAUSE_MS = 20;
/** After each turn it rests so many times as long as that took: an eightieth of a core at most, however much is written. */
const REST = 79;

export interface MetricFollowerOptions {
  readonly ledger: Ledger;
  readonly store: MetricStore;
  readonly logPath: (job: Pick<Job, 'id' | 'attempt'>) => string;
  readonly clock: Clock;
  readonly log: Log;
}

interface Followed {
  reading: Reading;
  reader: MetricReader;
  /** Bytes in the log at the last look. */
  size: number;
  trouble: boolean;
}

/**
 * Reads metrics from the output of jobs while they run, and the rest of it after they end: each launch from its first
 * byte to its last, once, whatever becomes of the engine meanwhile.
 */
export class MetricFollower {
  private readonly options: MetricFollowerOptions;
  private readonly followed: Followed[] = [];
  private readonly unlisten: () => void;
  private timer: NodeJS.Timeout | null = null;

  constructor(options: MetricFollowerOptions) {
    this.options = options;
    const { ledger, store } = options;
    this.unlisten = ledger.onEvent(({ event }, job) => {
      if (event.kind === 'started' || event.kind === 'began') this.guarded(() => this.follow(job));
    });
    for (const job of ledger.live()) if (job.process !== null) store.open(job.id, job.attempt);
    for (const reading of store.unfinished()) this.take(reading);
  }

  stop(): void {
    this.unlisten();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.followed.length = 0;
  }

  private follow(job: Job): void {
    const { store } = this.options;
    store.open(job.id, job.attempt);
    const known = this.followed.some(
      ({ reading }) => reading.jobId === job.id && reading.attempt === job.attempt,
    );
    if (!known) this.take({ jobId: job.id, attempt: job.attempt, readTo: 0, state: null });
  }

  private take(reading: Reading): void {
    this.followed.push({ reading, reader: new MetricReader(reading.state), size: -1, trouble: false });
    this.timer ??= setTimeout(() => this.turn(), INTERVAL_MS);
  }

  private turn(): void {
    const fromMs = this.options.clock.monotonicMs();
    let more = false;
    const busy = new Set<number>();
    for (const entry of [...this.followed]) {
      const { jobId } = entry.reading;
      // One launch after the other: a later one goes on where the earlier ended.
      if (busy.has(jobId)) continue;
      busy.add(jobId);
      try {
        more = this.look(entry) || more;
        entry.trouble = false;
      } catch (error) {
        if (!entry.trouble) {
          this.options.log.warn(`the metrics of job ${jobId} could not be read; it is tried again`, {
            error: messageOf(error),
          });
        }
        entry.trouble = true;
      }
    }
    const restMs = Math.max(
      more ? PAUSE_MS : INTERVAL_MS,
      REST * (this.options.clock.monotonicMs() - fromMs),
    );
    this.timer = this.followed.length === 0 ? null : setTimeout(() => this.turn(), restMs);
  }

  /** Reads on in a launch's output. @returns whether there is more. */
  private look(entry: Followed): boolean {
    const { ledger, store, logPath, clock } = this.options;
    const { jobId, attempt, readTo: from } = entry.reading;
    const job = ledger.get(jobId);
    // Asked before the file is: what is written until then is in the pieces.
    const over = job.attempt !== attempt || !isLive(job.status);
    const points: MetricPoint[] = [];
    const { state } = entry.reader;
    let readTo = from;
    let [done, more] = [false, false];
    withFile(logPath({ id: jobId, attempt }), (file) => {
      for (let piece = 0; piece < PIECES_A_LOOK && (piece === 0 || more); piece++) {
        const { bytes, size } = readPiece(file, readTo);
        if (piece === 0 && !over && size === entry.size) return;
        entry.size = size;
        const length = this.readable(bytes, over && readTo + bytes.length >= size);
        this.read(bytes, length, entry.reader, points);
        done = over && readTo + length >= size;
        more = !done && length > 0 && readTo + bytes.length < size;
        readTo += length;
      }
    });
    if (readTo === from && !done) return false;
    const reading = { jobId, attempt, readTo, state };
    store.record(reading, points, done, clock.nowMs());
    entry.reading = reading;
    if (done) this.followed.splice(this.followed.indexOf(entry), 1);
    else entry.size = -1;
    return more;
  }

  /** How much of a piece can be read: a line that is not over yet waits for its rest, unless it is none or nothing follows. */
  private readable(bytes: Buffer, last: boolean): number {
    if (last) return bytes.length;
    const whole = wholeLines(bytes);
    return whole > 0 ? whole : bytes.length === PIECE_BYTES ? bytes.length : 0;
  }

  private read(bytes: Buffer, length: number, reader: MetricReader, points: MetricPoint[]): void {
    if (length === 0) return;
    const { state } = reader;
    const lines = bytes.toString('utf8', 0, length).split(/[\r\n\b]+/);
    const whole = wholeLines(bytes);
    // Of a line that is longer than a piece nothing is read.
    if (whole === 0 && length === PIECE_BYTES) state.within = true;
    if (state.within) lines.shift();
    if (whole > 0) state.within = false;
    for (const line of lines) {
      const point = reader.read(line);
      if (point !== null) points.push(point);
    }
  }

  private guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.options.log.warn('metrics are not read for a job that was started', { error: messageOf(error) });
    }
  }
}

/** Length of the beginning that ends with a line, as terminals end it. */
function wholeLines(bytes: Buffer): number {
  return Math.max(bytes.lastIndexOf(0x0a), bytes.lastIndexOf(0x0d)) + 1;
}

/** @param file null: there is none. */
function readPiece(file: number | null, from: number): { bytes: Buffer; size: number } {
  if (file === null) return { bytes: Buffer.alloc(0), size: 0 };
  const { size } = fstatSync(file);
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(PIECE_BYTES, size - from)));
  return { bytes: buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from)), size };
}

function withFile(path: string, act: (file: number | null) => void): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    // Nothing was written yet, or it was removed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      act(null);
      return;
    }
    throw error;
  }
  try {
    act(file);
  } finally {
    closeSync(file);
  }
}
