import type { ForeignProcess, Reading } from '../../domain/device.ts';
import type { ProcessIdentity } from '../../domain/job.ts';
import { bootId } from '../jobs/processes.ts';
import type { Clock } from '../ports.ts';
import { type ProcessIdentity as Described, identify, processTimes } from './procfs.ts';

/** Share of a core below which a process does nothing: what polls a socket or keeps a heartbeat stays below. */
const IDLE_CORES = 0.01;
/** Use of a device, nobody of ours on it, from which whoever is on it works. */
const IDLE_USE = 0.05;
/** Shorter stretches say nothing: processor time comes in hundredths of a second. */
const LEAST_STRETCH_MS = 2000;

/** Where it is kept since when processes have been idle, across restarts. */
export interface IdleStore {
  idleOf(process: ProcessIdentity): { sinceMs: number; cpuS: number } | null;
  setIdle(process: ProcessIdentity, idle: { sinceMs: number; cpuS: number } | null): void;
}

interface Seen {
  readonly startTicks: number;
  readonly described: Described;
  cpuS: number;
  atMs: number;
  idleSinceMs: number | null;
}

/** Who the processes on devices are, and since when each has done nothing. */
export class ForeignNames {
  readonly #seen = new Map<number, Seen>();
  readonly #store: IdleStore;
  readonly #clock: Clock;

  constructor(store: IdleStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** What is known of a process; null before it was looked at. */
  of(pid: number):
    | (Pick<ForeignProcess, 'user' | 'command' | 'startedAtMs' | 'idleSinceMs'> & {
        identity: ProcessIdentity;
      })
    | null {
    const seen = this.#seen.get(pid);
    return seen === undefined
      ? null
      : { ...seen.described, idleSinceMs: seen.idleSinceMs, identity: identityOf(pid, seen.startTicks) };
  }

  /**
   * Looks at these processes, and forgets all others.
   * @param busy pids on devices that are in use by nobody else.
   * @returns whether anything has changed that a person would see.
   */
  async look(pids: ReadonlySet<number>, busy: ReadonlySet<number>): Promise<boolean> {
    let changed = false;
    for (const pid of this.#seen.keys()) if (!pids.has(pid)) this.#seen.delete(pid);
    for (const pid of pids) {
      const times = await processTimes(pid);
      const seen = this.#seen.get(pid);
      if (times === null) {
        changed = this.#seen.delete(pid) || changed;
      } else if (seen?.startTicks !== times.startTicks) {
        changed = true;
        const described = await identify(pid, times.startTicks);
        this.#seen.set(pid, {
          startTicks: times.startTicks,
          described,
          cpuS: times.cpuS,
          atMs: this.#clock.nowMs(),
          idleSinceMs: this.#idleBefore(identityOf(pid, times.startTicks), times.cpuS),
        });
      } else {
        changed = this.#judge(pid, seen, times.cpuS, busy.has(pid)) || changed;
      }
    }
    return changed;
  }

  /** Still idle since then, where it has hardly worked while no engine looked. */
  #idleBefore(identity: ProcessIdentity, cpuS: number): number | null {
    const before = this.#store.idleOf(identity);
    if (before === null) return null;
    const stretchS = (this.#clock.nowMs() - before.sinceMs) / 1000;
    return cpuS - before.cpuS <= IDLE_CORES * Math.max(1, stretchS) ? before.sinceMs : null;
  }

  #judge(pid: number, seen: Seen, cpuS: number, busy: boolean): boolean {
    const nowMs = this.#clock.nowMs();
    const stretchMs = nowMs - seen.atMs;
    // The clock was set back: begin anew.
    if (stretchMs < 0) seen.atMs = nowMs;
    if (stretchMs < LEAST_STRETCH_MS) return false;
    const idle = !busy && (1000 * (cpuS - seen.cpuS)) / stretchMs < IDLE_CORES;
    const sinceMs = idle ? (seen.idleSinceMs ?? seen.atMs) : null;
    const changed = sinceMs !== seen.idleSinceMs;
    if (changed) {
      const identity = identityOf(pid, seen.startTicks);
      this.#store.setIdle(identity, sinceMs === null ? null : { sinceMs, cpuS: seen.cpuS });
    }
    seen.idleSinceMs = sinceMs;
    seen.cpuS = cpuS;
    seen.atMs = nowMs;
    return changed;
  }
}

/** True if a device is used though none of our jobs is on it: then it is one of the others that works. */
export const isUsed = (reading: Reading | null, ours: number): boolean =>
  ours === 0 && reading?.utilisation != null && reading.utilisation >= IDLE_USE;

const identityOf = (pid: number, startTicks: number): ProcessIdentity => ({
  pid,
  startTime: String(startTicks),
  bootId: bootId(),
});
