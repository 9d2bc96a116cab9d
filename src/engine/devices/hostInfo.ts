import { readFile } from 'node:fs/promises';
import * as os from 'node:os';
import type { HostReading, SystemInfo } from '../../contract/messages.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../ports.ts';
import { readStart } from '../readStart.ts';

/** What the machine is; it does not change while the engine runs. */
export type HostInfo = Pick<SystemInfo, 'hostname' | 'os' | 'cpu' | 'cpuCores' | 'memoryMib'>;

const MIB = 1024 * 1024;

let cached: Promise<HostInfo> | null = null;

/**
 * The machine's names and sizes, asked for once. On Linux they are read from files: an engine that starts waits for
 * them. Elsewhere they come from `systeminformation`, which starts programs to find them; where it has not answered
 * within `timeoutMs`, plainer ones from Node are used.
 */
export function hostInfo(timeoutMs = 5000): Promise<HostInfo> {
  cached ??= nameHost(timeoutMs);
  return cached;
}

async function nameHost(timeoutMs: number): Promise<HostInfo> {
  const plain: HostInfo = {
    hostname: os.hostname(),
    os: `${os.type()} ${os.release()}`,
    cpu: os.cpus()[0]?.model.trim() || os.arch(),
    cpuCores: os.availableParallelism(),
    memoryMib: Math.round(os.totalmem() / MIB),
  };
  if (process.platform === 'linux') return { ...plain, os: (await distribution()) ?? plain.os };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  const named = await Promise.race([namesFromSystem().catch(() => null), late]);
  clearTimeout(timer);
  return { ...plain, os: named?.os || plain.os, cpu: named?.cpu || plain.cpu };
}

/** As os-release(5) gives it, `Debian GNU/Linux 12 (bookworm)`; null where there is no such file. */
async function distribution(): Promise<string | null> {
  try {
    const text = await readFile('/etc/os-release', 'utf8');
    return /^PRETTY_NAME=["']?(.+?)["']?$/m.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}

async function namesFromSystem(): Promise<{ os: string; cpu: string }> {
  const system = await import('systeminformation');
  const [osInfo, cpu] = await Promise.all([system.osInfo(), system.cpu()]);
  const words = (...parts: string[]) => parts.filter((part) => part && part !== 'unknown').join(' ');
  return { os: words(osInfo.distro, osInfo.release), cpu: words(cpu.manufacturer, cpu.brand) };
}

/** Answers how busy the host was since the last call; `cpu` is null at the first. */
export function hostMeter(clock: Clock = systemClock): () => HostReading {
  let last: { busy: number; total: number } | null = null;
  return () => {
    const now = cpuTicks();
    const spent = last && now.total > last.total ? (now.busy - last.busy) / (now.total - last.total) : null;
    last = now;
    return {
      atMs: clock.nowMs(),
      cpu: spent === null ? null : Math.min(1, Math.max(0, spent)),
      memoryUsedMib: memoryUsedMib(),
    };
  };
}

function cpuTicks(): { busy: number; total: number } {
  // `os.cpus` reads a line of each core and all of /proc/cpuinfo.
  if (process.platform === 'linux') return parseCpuTicks(readStart('/proc/stat'));
  let busy = 0;
  let total = 0;
  for (const { times } of os.cpus()) {
    const working = times.user + times.nice + times.sys + times.irq;
    busy += working;
    total += working + times.idle;
  }
  return { busy, total };
}

/** @param text the beginning of `/proc/stat` (proc(5)); waiting for a disk counts as idle. */
function parseCpuTicks(text: string): { busy: number; total: number } {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0] = text
    .slice(4, text.indexOf('\n'))
    .trim()
    .split(' ')
    .map(Number);
  const busy = user + nice + system + irq + softirq;
  return { busy, total: busy + idle + iowait };
}

/** Total less what programs could still have; caches that the kernel would give back do not count as used. */
function memoryUsedMib(): number | null {
  if (process.platform !== 'linux') return Math.round((os.totalmem() - os.freemem()) / MIB);
  let text: string;
  try {
    text = readStart('/proc/meminfo');
  } catch {
    return null;
  }
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
  const used = (kib('MemTotal') - kib('MemAvailable')) / 1024;
  return Number.isFinite(used) ? Math.round(used) : null;
}
