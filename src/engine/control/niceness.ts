import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import type { ProcessIdentity } from '../../domain/job.ts';
import { jobProcesses } from '../jobs/processes.ts';

/** A step of niceness is worth about this factor of processor time (sched(7)). */
const FACTOR = 1.25;
const MOST = 19;
/** RLIMIT_NICE of so much lets a process go back to niceness 0: 20 less that (getrlimit(2)). */
const ENOUGH = 20;
const ROUNDS = 5;

/** Why a job could not be made nicer and back here, and what would help; null: it could. */
export function niceTrouble(): string | null {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() === 0) return null;
  const allowed = /^Max nice priority\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  if (Number(allowed ?? 0) >= ENOUGH) return null;
  return (
    'what was made nicer could not be put back: that needs root, or a `nice` limit of 0 or less for you in ' +
    '/etc/security/limits.conf'
  );
}

/** The niceness that leaves a job about this share where others want the processor as well. */
export const nicenessOf = (share: number): number =>
  Math.max(1, Math.min(MOST, Math.round(Math.log(1 / share) / Math.log(FACTOR))));

/**
 * Makes every thread of a job so much nicer than its supervisor; what made itself nicer still is left alone.
 * @param by 0: as nice as the supervisor again, where it was made nicer to `from`.
 */
export function setNiceness(supervisor: ProcessIdentity, by: number, from = MOST): void {
  const base = priorityOf(supervisor.pid) ?? 0;
  // A tree forks meanwhile; what is forked by one that was reached is as nice.
  for (let round = 0; round < ROUNDS; round++) {
    let changed = 0;
    for (const thread of jobProcesses(supervisor).flatMap(threadsOf)) {
      const now = priorityOf(thread);
      if (now === null) continue;
      const wanted = Math.min(MOST, base + by);
      if (by > 0 ? now >= wanted : now !== Math.min(MOST, base + from) || now === base) continue;
      changed += set(thread, wanted);
    }
    if (changed === 0) return;
  }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

function priorityOf(thread: number): number | null {
  try {
    return getPriority(thread);
  } catch {
    return null;
  }
}

function set(thread: number, niceness: number): number {
  try {
    setPriority(thread, niceness);
    return 1;
  } catch (error) {
    // Gone, or another user's.
    if (!/ESRCH|EACCES|EPERM/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return 0;
  }
}
