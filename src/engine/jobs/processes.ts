import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { ProcessIdentity } from '../../domain/job.ts';
import { type ProcStat, statOf, TICKS_PER_S } from '../procStat.ts';

/** What the kernel says of one process. */
export type ProcessEntry = Omit<ProcStat, 'cpuMs'>;

let cachedBootId: string | undefined;

/** Changes with every boot of the machine. */
export function bootId(): string {
  cachedBootId ??=
    process.platform === 'linux'
      ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      : execFileSync('/usr/sbin/sysctl', ['-n', 'kern.boottime'], { encoding: 'utf8' }).trim();
  return cachedBootId;
}

/** The process with this pid now; null when there is none. Zombies count as none. */
export function processEntry(pid: number): ProcessEntry | null {
  const entry = process.platform === 'linux' ? statOf(pid) : (fromPs(['-p', String(pid)])[0] ?? null);
  return entry === null || entry.state.startsWith('Z') ? null : entry;
}

/** The identity of a running process; null when it is gone. */
export function identityOf(pid: number): ProcessIdentity | null {
  const entry = processEntry(pid);
  return entry === null ? null : { pid, startTime: entry.startTime, bootId: bootId() };
}

/** True while the very process that was recorded runs: same pid, same start, same boot. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId() && processEntry(identity.pid)?.startTime === identity.startTime;
}

/** How long ago a process of this boot started, in milliseconds; 0 where the kernel does not say. */
export function ageMs({ startTime }: ProcessIdentity): number {
  if (process.platform !== 'linux') return 0;
  const uptimeS = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  const age = 1000 * (uptimeS - Number(startTime) / TICKS_PER_S);
  return Number.isFinite(age) ? Math.max(0, age) : 0;
}

/** Every process of the machine. */
export function listProcesses(): ProcessEntry[] {
  if (process.platform !== 'linux') return fromPs(['-A']);
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (Number.isInteger(pid)) {
      const entry = statOf(pid);
      if (entry !== null) entries.push(entry);
    }
  }
  return entries;
}

/**
 * The processes of a job: everything below its supervisor or in the supervisor's session (daemons that lost
 * their parent), without the supervisor itself, zombies left out.
 * @param supervisor the supervisor's recorded identity. After another boot nothing is left of it.
 */
export function jobProcesses(
  supervisor: ProcessIdentity,
  all: readonly ProcessEntry[] = listProcesses(),
): number[] {
  if (supervisor.bootId !== bootId()) return [];
  const root = all.find((entry) => entry.pid === supervisor.pid);
  // The number was given to somebody else: no session of ours can bear it either.
  if (root !== undefined && root.startTime !== supervisor.startTime) return [];
  const children = new Map<number, number[]>();
  for (const entry of all) {
    const siblings = children.get(entry.ppid);
    if (siblings) siblings.push(entry.pid);
    else children.set(entry.ppid, [entry.pid]);
  }
  const members = new Set<number>();
  const open = [supervisor.pid, ...all.filter((e) => e.session === supervisor.pid).map((e) => e.pid)];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (members.has(pid)) continue;
    members.add(pid);
    open.push(...(children.get(pid) ?? []));
  }
  members.delete(supervisor.pid);
  const zombies = new Set(all.filter((e) => e.state.startsWith('Z')).map((e) => e.pid));
  return [...members].filter((pid) => !zombies.has(pid));
}

/** True where the process has a handler for the signal; also where that cannot be told. */
export function handles(pid: number, signal: NodeJS.Signals): boolean {
  if (process.platform !== 'linux') return true;
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    // It ended: it hears nothing any more.
    return false;
  }
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return (
    caught === undefined || ((BigInt(`0x${caught}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n
  );
}

/**
 * Sends a signal to every process of a job, again until no new one has appeared, so that a tree that forks
 * meanwhile is caught whole.
 * @param among false: that process is left out.
 * @returns the pids that were reached.
 */
export function signalJob(
  supervisor: ProcessIdentity,
  signal: NodeJS.Signals,
  among: (pid: number) => boolean = () => true,
): number[] {
  const reached = new Set<number>();
  for (let round = 0; round < 10; round++) {
    const fresh = jobProcesses(supervisor).filter((pid) => !reached.has(pid) && among(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      reached.add(pid);
      try {
        process.kill(pid, signal);
      } catch (error) {
        // Gone since it was listed, or another user's (a setuid child): neither keeps the rest from hearing it.
        const code = (error as NodeJS.ErrnoException).code;
        if (code !== 'ESRCH' && code !== 'EPERM') throw error;
      }
    }
  }
  return [...reached];
}

function fromPs(selection: readonly string[]): ProcessEntry[] {
  let table: string;
  try {
    table = execFileSync('/bin/ps', [...selection, '-o', 'pid=,ppid=,sess=,state=,lstart='], {
      encoding: 'utf8',
    });
  } catch {
    // ps exits 1 when nothing matches.
    return [];
  }
  return table
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [pid, ppid, session, state, ...start] = line.trim().split(/\s+/);
      return {
        pid: Number(pid),
        ppid: Number(ppid),
        session: Number(session) || 0,
        state: state!,
        startTime: start.join(' '),
      };
    });
}
