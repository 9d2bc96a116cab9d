import type { ProcessIdentity } from '../../domain/job.ts';
import { jobProcesses, listProcesses } from '../jobs/processes.ts';
import { childrenOf, statOf } from '../procStat.ts';

/** All processes of the machine are looked through this often, for those whose parents are gone. */
const WALK_INTERVAL_MS = 2000;

/** The processes of a job, found several times a second at little cost: from parents to children. */
export class ProcessTree {
  readonly #supervisor: ProcessIdentity;
  /** Those that only a walk over all processes finds, with when they started: a pid may be another's by now. */
  #strays: ReadonlyMap<number, string> = new Map();
  #walkedAtMs = Number.NEGATIVE_INFINITY;
  /** Processor time that each had had when last looked at. */
  #cpu = new Map<number, number>();

  constructor(supervisor: ProcessIdentity) {
    this.#supervisor = supervisor;
  }

  /** Pids of all of it, without the supervisor; none once that is gone and nothing is left. */
  members(): number[] {
    const nowMs = performance.now();
    if (nowMs - this.#walkedAtMs >= WALK_INTERVAL_MS) this.#walk(nowMs);
    const found = new Set<number>();
    const open = [this.#supervisor.pid];
    for (const [pid, startTime] of this.#strays) if (statOf(pid)?.startTime === startTime) open.push(pid);
    if (statOf(this.#supervisor.pid)?.startTime !== this.#supervisor.startTime) open.shift();
    for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
      if (found.has(pid)) continue;
      found.add(pid);
      open.push(...childrenOf(pid));
    }
    found.delete(this.#supervisor.pid);
    return [...found];
  }

  /** Sends a signal to all of it, again until no new one has appeared. @returns how many were reached. */
  signal(signal: NodeJS.Signals): number {
    const reached = new Set<number>();
    for (let round = 0; round < 10; round++) {
      const fresh = this.members().filter((pid) => !reached.has(pid));
      if (fresh.length === 0) break;
      for (const pid of fresh) {
        reached.add(pid);
        try {
          process.kill(pid, signal);
        } catch (error) {
          const code = (error as NodeJS.ErrnoException).code;
          if (code !== 'ESRCH' && code !== 'EPERM') throw error;
        }
      }
    }
    return reached.size;
  }

  /** Processor time that it took since the last call, of those that are still there. Milliseconds. */
  cpuMs(): number {
    const now = new Map<number, number>();
    let taken = 0;
    for (const pid of this.members()) {
      const stat = statOf(pid);
      if (stat === null) continue;
      now.set(pid, stat.cpuMs);
      taken += Math.max(0, stat.cpuMs - (this.#cpu.get(pid) ?? 0));
    }
    this.#cpu = now;
    return taken;
  }

  #walk(nowMs: number): void {
    this.#walkedAtMs = nowMs;
    const all = listProcesses();
    const mine = new Set(jobProcesses(this.#supervisor, all));
    // Those below another of them are found from there.
    const top = all.filter(
      ({ pid, ppid }) => mine.has(pid) && !mine.has(ppid) && ppid !== this.#supervisor.pid,
    );
    this.#strays = new Map(top.map(({ pid, startTime }) => [pid, startTime]));
  }
}
