import type { Device, Holder } from '../../domain/device.ts';
import type { Job } from '../../domain/job.ts';
import type { Ledger } from './ledger.ts';

/** Which jobs hold which devices, with how much memory. */
export class Holdings {
  private readonly ledger: Ledger;
  private readonly totalMib: (deviceId: string) => number;
  private byDevice: ReadonlyMap<string, readonly Job[]> = new Map();
  private seq = -1;

  private readonly reservationMib: (job: Job) => number | null;

  /** @param reservationMib what is set aside for a job on each of its devices; null: all that the device has. */
  constructor(
    ledger: Ledger,
    totalMib: (deviceId: string) => number,
    reservationMib: (job: Job) => number | null,
  ) {
    this.ledger = ledger;
    this.reservationMib = reservationMib;
    this.totalMib = totalMib;
  }

  /** Reservations on a device: as declared or learned, or all of it when neither is known. */
  of(deviceId: string): Pick<Holder, 'jobId' | 'reservedMib'>[] {
    return this.on(deviceId).map((job) => ({
      jobId: job.id,
      reservedMib: this.reservationMib(job) ?? this.totalMib(deviceId),
    }));
  }

  /** What a virtual device accounts. */
  usageOf(deviceId: string): { memoryMib: number; rootPids: number[] } {
    const jobs = this.on(deviceId);
    return {
      memoryMib: Math.min(
        this.totalMib(deviceId),
        this.of(deviceId).reduce((sum, holder) => sum + holder.reservedMib, 0),
      ),
      rootPids: jobs.flatMap((job) => (job.process ? [job.process.pid] : [])),
    };
  }

  private on(deviceId: string): readonly Job[] {
    this.refresh();
    return this.byDevice.get(deviceId) ?? [];
  }

  private refresh(): void {
    if (this.seq === this.ledger.liveSeq) return;
    this.seq = this.ledger.liveSeq;
    const byDevice = new Map<string, Job[]>();
    for (const job of this.ledger.live()) {
      for (const deviceId of job.devices) {
        const jobs = byDevice.get(deviceId);
        if (jobs) jobs.push(job);
        else byDevice.set(deviceId, [job]);
      }
    }
    this.byDevice = byDevice;
  }
}

/**
 * Memory that others hold on a device: what is used less what our jobs use. Where a job's own use cannot be told,
 * its reservation stands for it. null when the use itself is unknown.
 */
export function foreignMib(device: Device): number | null {
  // Nobody else can be on a virtual device, and what it accounts lags behind the jobs.
  if (device.kind === 'virtual') return 0;
  const used = device.reading?.memoryUsedMib ?? null;
  if (used === null) return null;
  const ours = device.holders.reduce((sum, holder) => sum + (holder.usedMib ?? holder.reservedMib), 0);
  return Math.max(0, used - ours);
}
