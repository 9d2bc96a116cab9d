import type { Device } from '../../domain/device.ts';

/** A part of a device's memory, in MiB. */
export type MemoryShare =
  | { readonly kind: 'job'; readonly jobId: number; readonly mib: number; readonly measured: boolean }
  | { readonly kind: 'foreign'; readonly mib: number };

export interface Memory {
  readonly shares: readonly MemoryShare[];
  /** null: not known. Then nothing may be called free. */
  readonly freeMib: number | null;
  /** As the driver reads it; null when it does not. */
  readonly usedMib: number | null;
}

/**
 * Who has how much of a device's memory: each job what the driver measures for it, else what is set aside;
 * the rest of what is used is foreign. Shares never add up to more than the device has.
 */
export function memoryOf(device: Device): Memory {
  const usedMib = device.health === 'ok' ? (device.reading?.memoryUsedMib ?? null) : null;
  let left = device.memoryTotalMib;
  const take = (mib: number): number => {
    const taken = Math.min(left, Math.max(0, mib));
    left -= taken;
    return taken;
  };
  const shares: MemoryShare[] = device.holders.map((holder) => ({
    kind: 'job',
    jobId: holder.jobId,
    mib: take(holder.usedMib ?? holder.reservedMib),
    measured: holder.usedMib !== null,
  }));
  const named = device.foreign.reduce((sum, process) => sum + (process.memoryMib ?? 0), 0);
  const measuredByJobs = device.holders.reduce((sum, holder) => sum + (holder.usedMib ?? 0), 0);
  const allMeasured = device.holders.every((holder) => holder.usedMib !== null);
  const unexplained = usedMib !== null && allMeasured ? usedMib - measuredByJobs : 0;
  const foreignMib = take(Math.max(named, unexplained));
  if (foreignMib > 0) shares.push({ kind: 'foreign', mib: foreignMib });
  return { shares, usedMib, freeMib: usedMib === null ? null : left };
}
