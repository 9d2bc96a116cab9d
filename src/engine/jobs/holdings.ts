import type { Device, Holder } from '../../domain/device.ts';
import type { Job } from '../../domain/job.ts';
import type { Clock } from '../ports.ts';
import type { Ledger } from './ledger.ts';
import { jobProcesses, listProcesses } from './processes.ts';

/** A walk over all processes is good for this long: it is asked for once per process on each device. */
const OWNERS_KEPT_MS = 500;

/** Which jobs hold which devices, with how much memory, and which processes are theirs. */
export class Holdings {
  private readonly ledger: Ledger;
  private readonly clock: Clock;
  private readonly totalMib: (deviceId: string) => number;
  private byDevice: ReadonlyMap<string, readonly Job[]> = new Map();
  private live: readonly Job[] = [];
  private seq = -1;
  private owners: ReadonlyMap<number, number> = new Map();
  private ownersAtMs = Number.NEGATIVE_INFINITY;

  constructor(ledger: Ledger, clock: Clock, totalMib: (deviceId: string) => number) {
    this.ledger = ledger;
    this.clock = clock;
    this.totalMib = totalMib;
  }

  /** Reservations on a device: as declared, or all of it when nothing was declared. */
  of(deviceId: string): Pick<Holder, 'jobId' | 'reservedMib'>[] {
    return this.on(deviceId).map((job) => ({
      jobId: job.id,
      reservedMib: job.vramMib ?? this.totalMib(deviceId),
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

  /** The live job that a process belongs to. */
  jobOfPid(pid: number): number | null {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.ownersAtMs > OWNERS_KEPT_MS) {
      this.refresh();
      const all = listProcesses();
      const owners = new Map<number, number>();
      for (const job of this.live) {
        for (const member of job.process ? jobProcesses(job.process, all) : []) owners.set(member, job.id);
      }
      this.owners = owners;
      this.ownersAtMs = nowMs;
    }
    return this.owners.get(pid) ?? null;
  }

  private on(deviceId: string): readonly Job[] {
    this.refresh();
    return this.byDevice.get(deviceId) ?? [];
  }

  private refresh(): void {
    if (this.seq === this.ledger.liveSeq) return;
    this.seq = this.ledger.liveSeq;
    this.live = this.ledger.live();
    const byDevice = new Map<string, Job[]>();
    for (const job of this.live) {
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
