import { uptime } from 'node:os';
import type { Clock, DeviceProbe, ProbedDevice, ProbeListener, ProbeReport } from '../ports.ts';
import { systemClock } from '../ports.ts';
import { type ProcessTimes, processTimes, processTree } from './procfs.ts';

/** What the jobs on a virtual device use of it. */
export interface VirtualUsage {
  /** Sum of what its holders declared. */
  readonly memoryMib: number;
  /** First process of each holder. */
  readonly rootPids: readonly number[];
}

export interface VirtualProbeOptions {
  readonly count: number;
  readonly memoryMib: number;
  readonly usageOf: (deviceId: string) => VirtualUsage;
  /** Time between two readings. Milliseconds. */
  readonly intervalMs?: number;
  readonly clock?: Clock;
}

/** The processes at one look, by `pid start`: a pid alone may come to mean another process. */
type CpuTimes = ReadonlyMap<string, ProcessTimes>;

/**
 * Devices that exist only as an account: memory is what the jobs declared, and use is the CPU time of their
 * process trees, where one core or more is 1. Nobody else can be on them.
 */
export class VirtualProbe implements DeviceProbe {
  readonly kind = 'virtual';
  readonly #options: VirtualProbeOptions;
  readonly #clock: Clock;
  readonly #last = new Map<string, { atMs: number; cpu: CpuTimes }>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(options: VirtualProbeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async start(listener: ProbeListener): Promise<ProbeReport> {
    const first = await this.#look();
    listener.onReport(first);
    this.#scheduleNext(listener);
    return first;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #scheduleNext(listener: ProbeListener): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then((report) => {
        if (this.#stopped) return;
        listener.onReport(report);
        this.#scheduleNext(listener);
      });
    }, this.#options.intervalMs ?? 1000);
  }

  async #look(): Promise<ProbeReport> {
    const devices: ProbedDevice[] = [];
    for (let index = 0; index < this.#options.count; index++) devices.push(await this.#device(index));
    return { atMs: this.#clock.nowMs(), devices };
  }

  async #device(index: number): Promise<ProbedDevice> {
    const id = `virtual-${index}`;
    const { memoryMib, rootPids } = this.#options.usageOf(id);
    return {
      info: {
        id,
        index,
        kind: 'virtual',
        name: `Virtual GPU ${index}`,
        memoryTotalMib: this.#options.memoryMib,
      },
      reading: {
        atMs: this.#clock.nowMs(),
        memoryUsedMib: memoryMib,
        utilisation: await this.#cpuShare(id, rootPids),
        temperatureC: null,
        powerW: null,
        powerLimitW: null,
        smClockMhz: null,
        processes: [],
      },
      trouble: null,
    };
  }

  /** Cores in use since the last look, at most 1; null when there is no last look, or no /proc. */
  async #cpuShare(id: string, rootPids: readonly number[]): Promise<number | null> {
    const cpu = await cpuTimes(rootPids);
    const atMs = this.#clock.monotonicMs();
    const last = this.#last.get(id);
    this.#last.set(id, { atMs, cpu });
    if (rootPids.length === 0) return 0;
    if (cpu.size === 0 || last === undefined || atMs <= last.atMs) return null;
    const lastLookS = uptime() - (atMs - last.atMs) / 1000;
    let spentS = 0;
    for (const [process, { cpuS, startedS }] of cpu) {
      const before = last.cpu.get(process)?.cpuS;
      if (before !== undefined) spentS += cpuS - before;
      else if (startedS >= lastLookS) spentS += cpuS;
      // What a process that came onto the device only now spent since the last look is not known.
      else return null;
    }
    return Math.min(1, Math.max(0, (spentS * 1000) / (atMs - last.atMs)));
  }
}

async function cpuTimes(rootPids: readonly number[]): Promise<CpuTimes> {
  const times = new Map<string, ProcessTimes>();
  for (const pid of await processTree(rootPids)) {
    const found = await processTimes(pid);
    if (found) times.set(`${pid} ${found.startTicks}`, found);
  }
  return times;
}
