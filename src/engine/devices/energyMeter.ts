import type { Device } from '../../domain/device.ts';
import { messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { Clock, Log } from '../ports.ts';
import type { Drawn, EnergyStore } from '../store/energyStore.ts';

export interface EnergyMeterOptions {
  /** Jobs that have, or may have, a process. */
  readonly live: () => readonly Job[];
  readonly store: EnergyStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Between readings further apart nobody knows what was drawn: the machine slept, or the driver did not answer. */
const LONGEST_GAP_S = 10;
/** So much may be lost when the engine is killed. */
const WRITE_EVERY_S = 5;

/**
 * Adds up what each job's GPUs draw: at each reading, power times the time since the reading before, in like parts to the
 * jobs that compute there. A job that stands still draws nothing where another computes beside it.
 */
export class EnergyMeter {
  private readonly options: EnergyMeterOptions;
  /** By device: the reading that was counted last, and when. */
  private readonly last = new Map<string, { readonly reading: Device['reading']; readonly atS: number }>();
  private readonly drawn = new Map<string, Drawn>();
  private writtenAtS: number;
  private troubled = false;

  constructor(options: EnergyMeterOptions) {
    this.options = options;
    this.writtenAtS = options.clock.monotonicMs() / 1000;
  }

  /** Devices were read; those that were not read anew are passed over. */
  observe(devices: readonly Device[]): void {
    const nowS = this.options.clock.monotonicMs() / 1000;
    let byDevice: Map<string, Job[]> | null = null;
    for (const { id, reading } of devices) {
      const before = this.last.get(id);
      if (reading === null || before?.reading === reading) continue;
      this.last.set(id, { reading, atS: nowS });
      const { powerW } = reading;
      const dtS = nowS - (before?.atS ?? nowS);
      if (powerW === null || !(dtS > 0) || dtS > LONGEST_GAP_S) continue;
      byDevice ??= jobsByDevice(this.options.live());
      const there = byDevice.get(id) ?? [];
      const computing = there.filter(({ status }) => status !== 'paused');
      const sharers = computing.length > 0 ? computing : there;
      for (const job of sharers) this.add(job, (powerW * dtS) / sharers.length, dtS / sharers.length);
    }
    if (nowS - this.writtenAtS >= WRITE_EVERY_S) this.write();
  }

  /** Puts what was added up into the store. */
  write(): void {
    this.writtenAtS = this.options.clock.monotonicMs() / 1000;
    try {
      this.options.store.add([...this.drawn.values()]);
      this.drawn.clear();
      this.troubled = false;
    } catch (error) {
      // It is kept, and written when that can be done again.
      if (!this.troubled) this.options.log.warn('energy could not be written', { error: messageOf(error) });
      this.troubled = true;
    }
  }

  private add({ id: jobId, attempt }: Job, joules: number, gpuS: number): void {
    const key = `${jobId} ${attempt}`;
    const before = this.drawn.get(key);
    this.drawn.set(key, {
      jobId,
      attempt,
      joules: (before?.joules ?? 0) + joules,
      measuredGpuS: (before?.measuredGpuS ?? 0) + gpuS,
    });
  }
}

function jobsByDevice(live: readonly Job[]): Map<string, Job[]> {
  const byDevice = new Map<string, Job[]>();
  for (const job of live) {
    for (const id of job.devices) {
      const there = byDevice.get(id);
      if (there === undefined) byDevice.set(id, [job]);
      else there.push(job);
    }
  }
  return byDevice;
}
