import type { Job } from '../../domain/job.ts';
import { waitingReasons } from '../../scheduler/explain.ts';
import type { Snapshot } from '../../scheduler/snapshot.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { WatchHub } from '../server/watchHub.ts';
import type { Adviser } from './adviser.ts';
import type { Drain } from './drain.ts';
import type { Gate } from './gate.ts';
import type { GiveWayLimits } from './giveWayLimits.ts';
import { WINDOW } from './queueWindow.ts';

/** Changed reasons are told at most this often; a list of thousands is not read faster. */
const INTERVAL_MS = 250;
const BACKLOGGED = `in a long queue: the scheduler looks at ${WINDOW} jobs at a time, and this is not among them yet`;
const DRAINED = 'the machine is drained: nothing is started';

export interface ReasonsOptions {
  readonly ledger: Ledger;
  readonly gate: Gate;
  readonly drain: Drain;
  readonly giveWay: GiveWayLimits;
  readonly adviser: Adviser;
  readonly hub: WatchHub;
  readonly snapshot: () => Snapshot;
  /** Why a job waits that is for another queue. */
  readonly elsewhere: (job: Job) => string;
}

/** Why waiting jobs wait, worked out at most once after each look at the machine, and told to those who watch. */
export class Reasons {
  private readonly options: ReasonsOptions;
  private known: ReadonlyMap<number, string> = new Map();
  private told: ReadonlyMap<number, string> = new Map();
  /** Whether there are waiting jobs that no decision looks at yet. */
  private backlogged = false;
  private stale = true;
  private stopped = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(options: ReasonsOptions) {
    this.options = options;
  }

  /** As of now; null for a job that does not wait. */
  of(job: Job): string | null {
    if (job.status === 'held')
      return job.cause === null ? 'held: it waits until it is released' : `held: ${job.cause}`;
    if (job.status !== 'queued') return null;
    this.refresh();
    const known = this.known.get(job.id);
    if (known !== undefined) return known;
    return this.backlogged ? BACKLOGGED : 'new: the scheduler looks at it next';
  }

  /** The machine was looked at afresh. */
  changed(): void {
    this.stale = true;
    if (this.timer !== null || this.stopped || !this.options.hub.watched) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.tell();
    }, INTERVAL_MS);
  }

  /** All of them, after telling those who watch what changed: the next change is against these. */
  all(): Record<string, string> {
    this.tell();
    return Object.fromEntries(this.known);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private refresh(): void {
    if (!this.stale) return;
    const { ledger, gate, drain, giveWay, adviser } = this.options;
    const snapshot = this.options.snapshot();
    const reasons = waitingReasons(snapshot, giveWay.limits, (job) => adviser.whyNotStarted(job.id));
    const drained = drain.sinceMs !== null;
    const windowed = new Set(snapshot.waiting.map(({ id }) => id));
    for (const job of ledger.inOrder()) {
      if (job.status !== 'queued' || reasons.has(job.id)) continue;
      if (job.executor !== null) {
        reasons.set(job.id, this.options.elsewhere(job));
        continue;
      }
      const readiness = gate.of(job, snapshot.nowMs);
      if (!readiness.ready) reasons.set(job.id, readiness.reason);
      else if (!drained && gate.roomInArray(job) !== null && !windowed.has(job.id))
        reasons.set(job.id, 'its array starts others first');
      // What is in the backlog is not listed one by one: there may be very many.
      else if (drained) reasons.set(job.id, DRAINED);
    }
    for (const job of ledger.inOrder()) {
      if (job.deadlineAtMs === null || job.deadlineAtMs >= snapshot.nowMs) continue;
      const reason = reasons.get(job.id);
      if (reason !== undefined) reasons.set(job.id, `${reason} (it has missed its deadline)`);
    }
    this.known = reasons;
    this.backlogged = snapshot.backlog !== undefined;
    this.stale = false;
  }

  private tell(): void {
    this.refresh();
    const { ledger, hub } = this.options;
    const changed: Record<string, string | null> = {};
    for (const [id, reason] of this.known) if (this.told.get(id) !== reason) changed[id] = reason;
    for (const id of this.told.keys()) if (!this.known.has(id)) changed[id] = this.of(ledger.get(id));
    this.told = this.known;
    if (Object.keys(changed).length > 0) hub.publish({ type: 'reasons', reasons: changed });
  }
}
