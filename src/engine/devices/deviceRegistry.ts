import type { Device, ForeignProcess, Holder } from '../../domain/device.ts';
import { messageOf } from '../../domain/errors.ts';
import { formatDuration } from '../../domain/units.ts';
import type { Clock, DeviceProbe, Log, ProbedDevice, ProbeReport } from '../ports.ts';
import { identify, type ProcessIdentity, processTimes } from './procfs.ts';

export interface DeviceRegistryOptions {
  readonly probe: DeviceProbe;
  readonly clock: Clock;
  readonly log: Log;
  /** The probe's interval. Milliseconds. */
  readonly intervalMs?: number;
  /** The jobs that hold a device now. */
  readonly holdersOf: (deviceId: string) => readonly Pick<Holder, 'jobId' | 'reservedMib'>[];
  /** The live job that a process belongs to; null when it is none of ours. Called for each process of a report. */
  readonly jobOfPid: (pid: number) => number | null;
}

/** A device as it was listed last. `listed`: it was in the latest report. */
interface Known {
  readonly probed: ProbedDevice;
  readonly listed: boolean;
}

/** No report for more than so many intervals: what was read is no longer true. */
const STALE_INTERVALS = 5;

/**
 * The devices of this machine as everybody sees them: what the probe reports, who holds them, and who else is
 * on them. What was read too long ago is unknown, never shown as if it were now.
 */
export class DeviceRegistry {
  readonly #options: DeviceRegistryOptions;
  readonly #staleMs: number;
  readonly #known = new Map<string, Known>();
  readonly #jobOf = new Map<number, number | null>();
  readonly #names = new Map<number, { readonly startTicks: number; readonly identity: ProcessIdentity }>();
  readonly #listeners = new Set<() => void>();
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #probeTrouble: string | null = null;
  #staleTimer: NodeJS.Timeout | undefined;
  #naming: Promise<void> | null = null;
  #stopped = false;

  constructor(options: DeviceRegistryOptions) {
    this.#options = options;
    this.#staleMs = STALE_INTERVALS * (options.intervalMs ?? 1000);
  }

  /** Starts the probe; resolves when the devices are known. @throws {UnavailableError} as the probe does. */
  async start(): Promise<void> {
    await this.#options.probe.start({
      onReport: (report) => this.#take(report),
      onTrouble: (trouble) => this.#hear(trouble),
    });
  }

  /** Ends the probe and all that it started. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#staleTimer);
    this.#listeners.clear();
    await this.#options.probe.stop();
    await this.#naming;
  }

  /** Calls `listener` after each report, and when devices fall silent; answers how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Why readings fail as a whole, and what happens next; null while they come. */
  get trouble(): string | null {
    return this.#probeTrouble;
  }

  /** Every device that was ever listed since the start, in PCI order. */
  list(): Device[] {
    const silentMs = this.#options.clock.monotonicMs() - this.#reportedAtMs;
    return [...this.#known.values()]
      .map((known) => this.#device(known, silentMs))
      .sort((a, b) => a.index - b.index || a.id.localeCompare(b.id));
  }

  /** null: no device of that id was ever listed. */
  get(id: string): Device | null {
    const known = this.#known.get(id);
    return known ? this.#device(known, this.#options.clock.monotonicMs() - this.#reportedAtMs) : null;
  }

  /** Memory of a device of that id; 0 when none was ever listed. */
  memoryTotalMib(id: string): number {
    return this.#known.get(id)?.probed.info.memoryTotalMib ?? 0;
  }

  #take(report: ProbeReport): void {
    if (this.#stopped) return;
    this.#reportedAtMs = this.#options.clock.monotonicMs();
    const listed = new Set(report.devices.map(({ info }) => info.id));
    for (const [id, { probed }] of this.#known) {
      if (!listed.has(id)) this.#known.set(id, { probed, listed: false });
    }
    for (const probed of report.devices) this.#known.set(probed.info.id, { probed, listed: true });
    this.#attribute(report);
    clearTimeout(this.#staleTimer);
    this.#staleTimer = setTimeout(() => this.#announce(), this.#staleMs + 1);
    this.#announce();
  }

  #hear(trouble: string | null): void {
    if (this.#stopped || trouble === this.#probeTrouble) return;
    if (trouble) this.#options.log.warn(`device readings: ${trouble}`);
    else this.#options.log.info('device readings are back');
    this.#probeTrouble = trouble;
    this.#announce();
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Finds out whose the reported processes are; strangers' names come a moment later. */
  #attribute(report: ProbeReport): void {
    this.#jobOf.clear();
    for (const { reading } of report.devices) {
      for (const { pid } of reading?.processes ?? []) this.#jobOf.set(pid, this.#options.jobOfPid(pid));
    }
    this.#naming ??= this.#nameStrangers()
      .catch((error: unknown) => this.#options.log.warn(`naming processes on GPUs: ${messageOf(error)}`))
      .finally(() => {
        this.#naming = null;
      });
  }

  async #nameStrangers(): Promise<void> {
    const pids = new Set(this.#jobOf.keys());
    for (const pid of this.#names.keys()) if (!pids.has(pid)) this.#names.delete(pid);
    let changed = false;
    for (const pid of pids) {
      const times = await processTimes(pid);
      const named = this.#names.get(pid);
      if (times?.startTicks === named?.startTicks) continue;
      changed = true;
      if (times === null) this.#names.delete(pid);
      else
        this.#names.set(pid, {
          startTicks: times.startTicks,
          identity: await identify(pid, times.startTicks),
        });
    }
    if (changed && !this.#stopped) this.#announce();
  }

  #device({ probed, listed }: Known, silentMs: number): Device {
    const { info } = probed;
    const { health, trouble } = this.#healthOf(probed, listed, silentMs);
    // What was read of a device that no longer answers says nothing about now.
    const current = listed && silentMs <= this.#staleMs ? probed.reading : null;
    const holders = this.#options.holdersOf(info.id);
    const held = new Set(holders.map(({ jobId }) => jobId));
    const strangers = (current?.processes ?? []).filter(({ pid }) => !held.has(this.#jobOf.get(pid) ?? -1));
    return {
      ...info,
      health,
      trouble,
      reading: current,
      holders: holders.map(({ jobId, reservedMib }) => ({
        jobId,
        reservedMib,
        usedMib: info.kind === 'virtual' ? null : this.#usedBy(jobId, current?.processes ?? null),
      })),
      foreign: strangers.map((process): ForeignProcess => {
        const {
          user = null,
          command = null,
          startedAtMs = null,
        } = this.#names.get(process.pid)?.identity ?? {};
        return { ...process, user, command, startedAtMs };
      }),
    };
  }

  #usedBy(
    jobId: number,
    processes: readonly { pid: number; memoryMib: number | null }[] | null,
  ): number | null {
    if (processes === null) return null;
    let sum = 0;
    for (const { pid, memoryMib } of processes) {
      if (this.#jobOf.get(pid) !== jobId) continue;
      if (memoryMib === null) return null;
      sum += memoryMib;
    }
    return sum;
  }

  #healthOf(probed: ProbedDevice, listed: boolean, silentMs: number): Pick<Device, 'health' | 'trouble'> {
    if (silentMs > this.#staleMs) {
      const silence = `no reading for ${formatDuration(silentMs)}`;
      return {
        health: 'unreadable',
        trouble: this.#probeTrouble ?? `${silence}; nothing is started on it until it answers again`,
      };
    }
    if (!listed) {
      return {
        health: 'gone',
        trouble:
          'the driver no longer lists it; look into dmesg for Xid messages and check its seat and power, then ' +
          'restart the machine',
      };
    }
    if (probed.reading === null) {
      return {
        health: 'unreadable',
        trouble: probed.trouble ?? 'it could not be read; nothing is started on it until it answers again',
      };
    }
    if (probed.reading.memoryUsedMib === null || probed.info.memoryTotalMib <= 0) {
      return {
        health: 'unreadable',
        trouble:
          'its driver does not say how much memory is in use, so nothing is started on it; a newer driver may',
      };
    }
    return { health: 'ok', trouble: null };
  }
}
