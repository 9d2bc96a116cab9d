import { readdir, readFile, stat } from 'node:fs/promises';
import { SECRET, secretArguments, withoutSecrets } from '../../domain/secrets.ts';
import { parseChildren, parseStat, TICKS_PER_S } from '../procStat.ts';

/**
 * What /proc says of processes. Everything answers null (or nothing) where there is no /proc, the process is
 * gone, or it may not be looked at: these are not errors here. Reads are asynchronous, because a look at a
 * process that hangs in the kernel may hang as well.
 */

export interface ProcessTimes {
  /** Since the machine started. With the pid it names a process for good. */
  readonly startTicks: number;
  /** The same in seconds. */
  readonly startedS: number;
  /** User and system time so far, of the process itself. Seconds. */
  readonly cpuS: number;
}

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}

/** Start and processor time of a process (proc(5), `/proc/PID/stat`); null when it is gone. */
export async function processTimes(pid: number): Promise<ProcessTimes | null> {
  const text = await read(`/proc/${pid}/stat`);
  if (text === null) return null;
  const { startTime, cpuMs } = parseStat(pid, text);
  const startTicks = Number(startTime);
  return Number.isFinite(startTicks + cpuMs)
    ? { startTicks, startedS: startTicks / TICKS_PER_S, cpuS: cpuMs / 1000 }
    : null;
}

/** A process and all its descendants that are there now. */
export async function processTree(rootPids: readonly number[]): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  let level = [...rootPids];
  while (level.length > 0) {
    const next: number[] = [];
    for (const pid of level) {
      if (found.has(pid)) continue;
      found.add(pid);
      next.push(...(await childrenOf(pid)));
    }
    level = next;
  }
  return found;
}

async function childrenOf(pid: number): Promise<number[]> {
  let threads: string[];
  try {
    threads = await readdir(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const lists = await Promise.all(threads.map((tid) => read(`/proc/${pid}/task/${tid}/children`)));
  return lists.flatMap((list) => parseChildren(list ?? ''));
}

export interface ProcessIdentity {
  readonly user: string | null;
  readonly command: string | null;
  readonly startedAtMs: number | null;
}

const LONGEST_COMMAND = 300;

/** Who a process belongs to, what it runs and since when. */
export async function identify(pid: number, startTicks: number): Promise<ProcessIdentity> {
  const [command, uid, bootMs] = await Promise.all([commandOf(pid), ownerOf(pid), bootedAtMs()]);
  return {
    user: uid === null ? null : await userName(uid),
    command,
    startedAtMs: bootMs === null ? null : bootMs + (startTicks / TICKS_PER_S) * 1000,
  };
}

/** The command line without secrets, else (kernel threads, other people's processes) the bare name. */
async function commandOf(pid: number): Promise<string | null> {
  const argv = (await read(`/proc/${pid}/cmdline`))?.split('\0') ?? [];
  const secrets = secretArguments(argv);
  const line = argv
    .map((text, at) => (secrets.has(at) ? SECRET : withoutSecrets(text)))
    .join(' ')
    .trim();
  return (line || (await read(`/proc/${pid}/comm`))?.trim())?.slice(0, LONGEST_COMMAND) ?? null;
}

async function ownerOf(pid: number): Promise<number | null> {
  try {
    return (await stat(`/proc/${pid}`)).uid;
  } catch {
    return null;
  }
}

async function bootedAtMs(): Promise<number | null> {
  const seconds = /^btime (\d+)$/m.exec((await read('/proc/stat')) ?? '')?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

/** The login name; `uid N` for users that /etc/passwd does not list. */
async function userName(uid: number): Promise<string> {
  const passwd = (await read('/etc/passwd')) ?? '';
  for (const line of passwd.split('\n')) {
    const [name, , id] = line.split(':');
    if (name && id === String(uid)) return name;
  }
  return `uid ${uid}`;
}
