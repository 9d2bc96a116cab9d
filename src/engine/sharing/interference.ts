import { createHash } from 'node:crypto';
import type { PairSpeed } from '../../contract/messages.ts';
import { messageOf } from '../../domain/errors.ts';
import { isLive, type Job } from '../../domain/job.ts';
import { remember } from '../../domain/remember.ts';
import { pairKey } from '../../scheduler/snapshot.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Clock, Log } from '../ports.ts';
import type { SharingStore } from '../store/sharingStore.ts';
import { kindOf } from './memoryModel.ts';

/** A pace over less time is not one. */
const LEAST_S = 60;
/** Nothing makes a job faster by sharing than this: more is chance. */
const FASTEST = 1.2;

/** A job between two reports of its progress. */
interface Stretch {
  readonly fraction: number;
  readonly atMs: number;
  /** With whom it has shared its devices all the time; null: that changed, so that the stretch says nothing. */
  beside: string | null;
}

/** A short name of a kind, for snapshots: a command may be very long. */
export const kindName = (job: Pick<Job, 'command' | 'gpus'>): string => shorten(kindOf(job));

const SHORT = new Map<string, string>();
const MOST_SHORT = 2000;

const shorten = (kind: string): string => SHORT.get(kind) ?? remember(SHORT, kind, hashOf(kind), MOST_SHORT);

function hashOf(kind: string): string {
  return createHash('sha256').update(kind).digest('base64url').slice(0, 12);
}

export interface InterferenceOptions {
  readonly ledger: Ledger;
  readonly store: SharingStore;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Measures how jobs slow each other down, from the progress that they report: over each stretch in which nothing changed
 * on its devices, a job's pace counts for its command, alone or beside the one other command that was there. A stretch
 * with several others, or in which somebody came, went, paused or resumed, is left out.
 */
export class Interference {
  private readonly options: InterferenceOptions;
  private readonly stretches = new Map<number, Stretch>();
  private readonly unsubscribe: () => void;
  private known: Readonly<Record<string, number>> | null = null;

  constructor(options: InterferenceOptions) {
    this.options = options;
    this.unsubscribe = options.ledger.onEvent(({ event }, job, before) => {
      if (event.kind === 'progressed') this.progressed(job);
      else if (
        before !== null &&
        job.devices.length + before.devices.length > 0 &&
        job.status !== before.status
      )
        this.changed(job, before);
    });
  }

  stop(): void {
    this.unsubscribe();
  }

  /** Measured speeds by `pairKey` of short names, as snapshots carry them. Another object after each change. */
  get speeds(): Readonly<Record<string, number>> {
    this.known ??= Object.fromEntries(
      this.pairs().map(({ kind, beside, speed }) => [pairKey(shorten(kind), shorten(beside)), speed]),
    );
    return this.known;
  }

  /** Every pair of which enough is known, the slowest first. */
  pairs(): PairSpeed[] {
    const paces = this.options.store.paces();
    const alone = new Map(
      paces
        .filter(({ beside, seconds }) => beside === '' && seconds >= LEAST_S)
        .map((one) => [one.kind, one]),
    );
    const pairs = paces.flatMap(({ kind, beside, fraction, seconds }): PairSpeed[] => {
      const by = alone.get(kind);
      if (beside === '' || seconds < LEAST_S || by === undefined || by.fraction <= 0) return [];
      const speed = fraction / seconds / (by.fraction / by.seconds);
      return [{ kind, beside, speed: Math.min(FASTEST, speed), seconds: Math.min(seconds, by.seconds) }];
    });
    return pairs.sort((a, b) => a.speed - b.speed);
  }

  private progressed(job: Job): void {
    const { progress, devices, status } = job;
    if (progress === null || devices.length === 0 || status !== 'running') return;
    const before = this.stretches.get(job.id);
    const beside = this.besideOf(job);
    this.stretches.set(job.id, { fraction: progress.fraction, atMs: progress.atMs, beside });
    if (before === undefined || before.beside === null || before.beside !== beside) return;
    const seconds = (progress.atMs - before.atMs) / 1000;
    const fraction = progress.fraction - before.fraction;
    if (seconds <= 0 || fraction <= 0) return;
    try {
      this.options.store.addPace(
        { kind: kindOf(job), beside, fraction, seconds },
        this.options.clock.nowMs(),
      );
      this.known = null;
    } catch (error) {
      this.options.log.warn('a pace could not be kept', { error: messageOf(error) });
    }
  }

  /** Ends the stretches of everybody on the job's devices, and its own. */
  private changed(job: Job, before: Job): void {
    if (!isLive(job.status)) this.stretches.delete(job.id);
    const devices = new Set([...job.devices, ...before.devices]);
    for (const [id, stretch] of this.stretches) {
      const other = this.options.ledger.get(id);
      if (id === job.id || other.devices.some((one) => devices.has(one))) stretch.beside = null;
    }
  }

  /** The one kind that runs on its devices as well, empty for none; null: several, or not on all of them. */
  private besideOf(job: Job): string | null {
    const others = this.options.ledger
      .live()
      .filter((one) => one.id !== job.id && one.devices.some((id) => job.devices.includes(id)));
    const running = others.filter(({ status }) => status !== 'paused');
    if (running.length === 0) return '';
    const [only] = running as [Job];
    const covers = job.devices.every((id) => only.devices.includes(id));
    return running.length === 1 && covers ? kindOf(only) : null;
  }
}
