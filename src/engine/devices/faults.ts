import type { Fault } from '../../domain/device.ts';
import { isDeviceFault } from '../../domain/xid.ts';

/** Of each device so many are remembered, the latest. */
const MOST = 50;

/** A fault with the device that it is of. */
export interface DeviceFault extends Fault {
  readonly id: string;
}

/** What the driver reported of devices since the engine started. */
export class Faults {
  readonly #byDevice = new Map<string, Fault[]>();

  take(faults: readonly DeviceFault[]): void {
    for (const { id, code, atMs } of faults) {
      const known = this.#byDevice.get(id) ?? [];
      this.#byDevice.set(id, [...known, { code, atMs }].slice(-MOST));
    }
  }

  latest(id: string): Fault | null {
    return this.#byDevice.get(id)?.at(-1) ?? null;
  }

  /** Of these devices since then: the first that no program does, else the first; null: none. */
  since(ids: readonly string[], sinceMs: number): DeviceFault | null {
    const found = ids
      .flatMap((id) => (this.#byDevice.get(id) ?? []).map((fault) => ({ id, ...fault })))
      .filter(({ atMs }) => atMs >= sinceMs)
      .sort((a, b) => a.atMs - b.atMs);
    return found.find(({ code }) => isDeviceFault(code)) ?? found[0] ?? null;
  }
}
