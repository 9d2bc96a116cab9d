import type { Device, ForeignProcess, Holder } from '../../domain/device.ts';
import type { DeviceRules } from '../../domain/deviceRules.ts';
import { messageOf } from '../../domain/errors.ts';
import type { ProcessIdentity } from '../../domain/job.ts';
import { formatDuration } from '../../domain/units.ts';
import { xidText } from '../../domain/xid.ts';
import type { Clock, DeviceProbe, Log, ProbedDevice, ProbeReport } from '../ports.ts';
import type { DeviceFault, Faults } from './faults.ts';
import { Focus } from './focus.ts';
import { ForeignNames, type IdleStore, isUsed } from './foreignNames.ts';
import type { ProcessOwners } from './processOwners.ts';
import { Resets } from './resets.ts';

export interface DeviceRegistryOptions {
  readonly faults: Faults;
  readonly probe: DeviceProbe;
  readonly clock: Clock;
  readonly log: Log;
  /** The probe's interval. Milliseconds. */
  readonly intervalMs?: number;
  /** The jobs that hold a device now. */
  readonly holdersOf: (deviceId: string) => readonly Pick<Holder, 'jobId' | 'reservedMib'>[];
  /** Whose the processes of a report are; those of no report any more are forgotten. */
  readonly owners: Pick<ProcessOwners, 'jobOf' | 'keep'>;
  /** What the owner wants of a device, and what follows now. */
  readonly rulesOf: (deviceId: string) => DeviceRules;
  readonly standingOf: (deviceId: string) => Pick<Device, 'closed' | 'yields'>;
  readonly isIgnored: (deviceId: string, process: ProcessIdentity) => boolean;
  readonly idle: IdleStore;
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
  /** Devices that are measured more often than others. */
  readonly focus: Focus;
  readonly faults: Faults;
  readonly #options: DeviceRegistryOptions;
  readonly #staleMs: number;
  readonly #known = new Map<string, Known>();
  readonly #jobOf = new Map<number, number | null>();
  readonly #names: ForeignNames;
  readonly #resets = new Resets();
  readonly #listeners = new Set<() => void>();
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #probeTrouble: string | null = null;
  #staleTimer: NodeJS.Timeout | undefined;
  #naming: Promise<void> | null = null;
  #stopped = false;

  constructor(options: DeviceRegistryOptions) {
    this.#options = options;
    this.faults = options.faults;
    this.#names = new ForeignNames(options.idle, options.clock);
    const intervalMs = options.intervalMs ?? 1000;
    this.#staleMs = STALE_INTERVALS * intervalMs;
    this.focus = new Focus(options.probe, intervalMs, options.clock);
  }

  /** Starts the probe; resolves when the devices are known. @throws {UnavailableError} as the probe does. */
  async start(): Promise<void> {
    await this.#options.probe.start({
      onReport: (report) => this.#take(report),
      onTrouble: (trouble) => this.#hear(trouble),
      onMeasured: (measured) => this.focus.take(measured),
      onFaults: (faults) => this.takeFaults(faults),
    });
  }

  /** Ends the probe and all that it started. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#staleTimer);
    this.focus.stop();
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

  /** True if a device of that id was ever listed. */
  knows(id: string): boolean {
    return this.#known.has(id);
  }

  /** null: no device of that id was ever listed. */
  get(id: string): Device | null {
    const known = this.#known.get(id);
    return known ? this.#device(known, this.#options.clock.monotonicMs() - this.#reportedAtMs) : null;
  }

  /** Who a process on a device is; null: none such is there, or it has not been looked at yet. */
  processOn(deviceId: string, pid: number): { identity: ProcessIdentity; command: string | null } | null {
    const there = this.#known.get(deviceId)?.probed.reading?.processes?.some((one) => one.pid === pid);
    return there ? this.#names.of(pid) : null;
  }

  /** Memory of the largest device, MiB; 0 where there is none. */
  get largestMib(): number {
    let most = 0;
    for (const { probed } of this.#known.values()) most = Math.max(most, probed.info.memoryTotalMib);
    return most;
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
    this.#heedResets(report);
    this.focus.take(
      report.devices.flatMap(({ info, reading }) => {
        if (reading === null) return [];
        const { processes: _processes, ...measured } = reading;
        return [[info.id, measured] as const];
      }),
    );
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

  /** What the driver reported, whoever heard of it. */
  takeFaults(faults: readonly DeviceFault[]): void {
    if (this.#stopped) return;
    const fresh = this.faults.take(faults);
    if (fresh.length === 0) return;
    for (const { id, code } of fresh) {
      const index = this.#known.get(id)?.probed.info.index ?? id;
      this.#options.log.warn(`the driver reports of GPU ${index}: ${xidText(code)}`);
    }
    this.#announce();
  }

  /** Faults of a device that was reset since keep nobody from it any more. */
  #heedResets(report: ProbeReport): void {
    for (const { id, lostAtMs } of this.#resets.observe(report)) {
      const before = this.faults.closing(id);
      if (before === null) continue;
      const index = this.#known.get(id)?.probed.info.index ?? id;
      try {
        this.faults.clear(id, lostAtMs);
      } catch (error) {
        this.#options.log.warn(`that GPU ${index} was reset could not be kept`, { error: messageOf(error) });
        continue;
      }
      const now = this.faults.closing(id);
      if (now === null)
        this.#options.log.info(`GPU ${index} was lost and answers again, so it was reset: jobs start there`);
    }
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Finds out whose the reported processes are; strangers' names come a moment later. */
  #attribute(report: ProbeReport): void {
    const { owners } = this.#options;
    this.#jobOf.clear();
    for (const { reading } of report.devices) {
      for (const { pid } of reading?.processes ?? []) this.#jobOf.set(pid, owners.jobOf(pid));
    }
    owners.keep(this.#jobOf);
    this.#naming ??= this.#nameStrangers()
      .catch((error: unknown) => this.#options.log.warn(`naming processes on GPUs: ${messageOf(error)}`))
      .finally(() => {
        this.#naming = null;
      });
  }

  async #nameStrangers(): Promise<void> {
    const busy = new Set<number>();
    for (const { probed } of this.#known.values()) {
      const ours = this.#options.holdersOf(probed.info.id).length;
      if (isUsed(probed.reading, ours)) for (const { pid } of probed.reading?.processes ?? []) busy.add(pid);
    }
    const changed = await this.#names.look(new Set(this.#jobOf.keys()), busy);
    if (changed && !this.#stopped) this.#announce();
  }

  #device({ probed, listed }: Known, silentMs: number): Device {
    const { info } = probed;
    const { health, trouble } = this.#healthOf(probed, listed, silentMs);
    // What was read of a device that no longer answers says nothing about now.
    const current = listed && silentMs <= this.#staleMs ? probed.reading : null;
    const holders = this.#options.holdersOf(info.id);
    const held = new Set(holders.map(({ jobId }) => jobId));
    const fault = this.faults.latest(info.id);
    const strangers = (current?.processes ?? []).filter(({ pid }) => !held.has(this.#jobOf.get(pid) ?? -1));
    return {
      ...info,
      health,
      trouble,
      reading: current,
      ...(fault === null ? {} : { fault }),
      holders: holders.map(({ jobId, reservedMib }) => ({
        jobId,
        reservedMib,
        usedMib: info.kind === 'virtual' ? null : this.#usedBy(jobId, current?.processes ?? null),
      })),
      foreign: strangers.map((process): ForeignProcess => {
        const known = this.#names.of(process.pid);
        return {
          ...process,
          user: known?.user ?? null,
          command: known?.command ?? null,
          startedAtMs: known?.startedAtMs ?? null,
          jobId: this.#jobOf.get(process.pid) ?? null,
          idleSinceMs: known?.idleSinceMs ?? null,
          ignored: known !== null && this.#options.isIgnored(info.id, known.identity),
        };
      }),
      rules: this.#options.rulesOf(info.id),
      ...this.#options.standingOf(info.id),
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
