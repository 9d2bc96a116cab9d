import type { Job } from '../../domain/job.ts';
import { priorityWeight } from '../../domain/reward.ts';
import type { Backlog } from '../../scheduler/snapshot.ts';

/** A waiting job, and since when it has lacked nothing but its turn. */
export interface ReadyJob {
  readonly job: Job;
  readonly sinceMs: number;
}

/** What a decision looks at of all that waits. */
export interface Queue {
  /** By rank. */
  readonly ready: readonly ReadyJob[];
  /** The rest of what is ready; null: there is none. */
  readonly backlog: Backlog | null;
}

/** So many waiting jobs a decision looks at; of a longer queue, those that {@link windowOf} names. */
export const WINDOW = 512;
/** Of each other order than the queue's own, so many. */
const OF_EACH_ORDER = 64;
const OF_EACH_USER = 8;
const OF_EACH_SIZE = 16;

/**
 * What is looked at of a long queue: those whose turn it is, those that the owner moved, the highest priorities, the
 * longest waits, the shortest estimates, the next deadlines, and some of each user and of each number of GPUs, so that nobody and no size
 * is passed over. A job that is not among them moves up as others start; none is forgotten, since the longest waits are
 * always there. O(n) for n jobs. See docs/decisions on long queues.
 * @param ready by rank.
 */
export function windowOf(ready: readonly ReadyJob[], nowMs: number): Queue {
  if (ready.length <= WINDOW) return { ready, backlog: null };
  const taken = new Set<number>();
  const byPriority = new Best(OF_EACH_ORDER);
  const byWait = new Best(OF_EACH_ORDER);
  const byEstimate = new Best(OF_EACH_ORDER);
  const byDeadline = new Best(OF_EACH_ORDER);
  const byUser = new Map<string, number>();
  const bySize = new Map<number, number>();
  let moved = 0;
  for (let at = 0; at < ready.length; at++) {
    const { job, sinceMs } = ready[at]!;
    byPriority.offer(at, -job.priority);
    byWait.offer(at, sinceMs);
    if (job.estimateS !== null) byEstimate.offer(at, job.estimateS);
    const { deadlineAtMs } = job;
    if (deadlineAtMs !== null && deadlineAtMs > nowMs) byDeadline.offer(at, deadlineAtMs);
    if (job.moved && moved++ < OF_EACH_ORDER) taken.add(at);
    if (counted(byUser, job.user, OF_EACH_USER)) taken.add(at);
    if (counted(bySize, job.gpus, OF_EACH_SIZE)) taken.add(at);
  }
  for (const best of [byPriority, byWait, byEstimate, byDeadline]) for (const at of best.kept) taken.add(at);
  for (let at = 0; taken.size < WINDOW; at++) taken.add(at);
  const rest = { waiting: 0, waitingGpus: 0, weight: 0, users: new Set<string>() };
  ready.forEach(({ job }, at) => {
    if (taken.has(at)) return;
    rest.waiting++;
    rest.waitingGpus += job.gpus;
    rest.weight += priorityWeight(job.priority);
    rest.users.add(job.user);
  });
  const order = [...taken].sort((a, b) => a - b);
  return { ready: order.map((at) => ready[at]!), backlog: rest };
}

/** Counts one more of `key`. @returns whether it is among the first `most`. */
function counted<K>(counts: Map<K, number>, key: K, most: number): boolean {
  const count = counts.get(key) ?? 0;
  if (count >= most) return false;
  counts.set(key, count + 1);
  return true;
}

/** The places with the least values; of equal ones the first. */
class Best {
  private readonly most: number;
  private readonly values: number[] = [];
  readonly kept: number[] = [];

  constructor(most: number) {
    this.most = most;
  }

  offer(at: number, value: number): void {
    const { values, kept, most } = this;
    if (values.length === most && value >= values[most - 1]!) return;
    let place = values.length;
    while (place > 0 && values[place - 1]! > value) place--;
    values.splice(place, 0, value);
    kept.splice(place, 0, at);
    if (values.length > most) {
      values.pop();
      kept.pop();
    }
  }
}
