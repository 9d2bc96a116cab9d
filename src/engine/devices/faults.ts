import type { Fault } from '../../domain/device.ts';
import { messageOf } from '../../domain/errors.ts';
import { isDeviceFault, isFatal } from '../../domain/xid.ts';
import type { Log } from '../ports.ts';
import { type FaultStore, MOST_FAULTS, type StoredFault } from '../store/faultStore.ts';

/** NVML and the kernel's log tell of the same within this time. */
const SAME_MS = 10_000;

/** A fault with the device that it is of. */
export interface DeviceFault extends Fault {
  readonly id: string;
}

export interface FaultsOptions {
  readonly store: FaultStore;
  readonly bootId: string;
  readonly log: Log;
}

/** What the driver reported of devices, by this engine and those before it. */
export class Faults {
  readonly #options: FaultsOptions;
  readonly #byDevice = new Map<string, StoredFault[]>();

  constructor(options: FaultsOptions) {
    this.#options = options;
    for (const fault of options.store.all()) this.#remember(fault);
  }

  /** @returns those that were not known yet. */
  take(faults: readonly DeviceFault[]): readonly DeviceFault[] {
    const { store, bootId, log } = this.#options;
    const fresh = faults.filter(({ id, code, atMs }) => {
      const known = this.#byDevice.get(id) ?? [];
      return !known.some((one) => one.code === code && Math.abs(one.atMs - atMs) < SAME_MS);
    });
    for (const { id, code, atMs } of fresh) {
      this.#remember({ id, code, atMs, bootId, cleared: false });
      try {
        store.add(id, { code, atMs }, bootId);
      } catch (error) {
        // Known until the engine ends.
        log.warn('what the driver reported of a GPU could not be kept', { error: messageOf(error) });
      }
    }
    return fresh;
  }

  latest(id: string): Fault | null {
    const fault = this.#byDevice.get(id)?.at(-1);
    return fault === undefined ? null : { code: fault.code, atMs: fault.atMs };
  }

  /** The latest that keeps a device from being used: of this boot, and not taken note of; null: none does. */
  closing(id: string): Fault | null {
    const { bootId } = this.#options;
    return (
      this.#byDevice
        .get(id)
        ?.findLast((fault) => isFatal(fault.code) && fault.bootId === bootId && !fault.cleared) ?? null
    );
  }

  /** The owner takes note of all of them, or the device was reset after those until then. */
  clear(id: string, untilMs = Number.MAX_SAFE_INTEGER): void {
    this.#options.store.clear(id, untilMs);
    const known = this.#byDevice.get(id) ?? [];
    this.#byDevice.set(
      id,
      known.map((fault) => (fault.atMs <= untilMs ? { ...fault, cleared: true } : fault)),
    );
  }

  /** Of these devices since then: the first that no program does, else the first; null: none. */
  since(ids: readonly string[], sinceMs: number): DeviceFault | null {
    const found = ids
      .flatMap((id) => this.#byDevice.get(id) ?? [])
      .filter(({ atMs }) => atMs >= sinceMs)
      .sort((a, b) => a.atMs - b.atMs);
    return found.find(({ code }) => isDeviceFault(code)) ?? found[0] ?? null;
  }

  #remember(fault: StoredFault): void {
    const known = this.#byDevice.get(fault.id) ?? [];
    this.#byDevice.set(fault.id, [...known, fault].slice(-MOST_FAULTS));
  }
}
