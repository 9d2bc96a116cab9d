import type { Measured } from '../../domain/device.ts';
import { type Clock, type DeviceProbe, FOCUS_INTERVAL_MS } from '../ports.ts';

/** Readings of a device in focus are kept for so long, for whoever asks again. */
const KEPT_MS = 10_000;

export interface Close {
  /** How often devices are measured while the lease lasts. */
  readonly everyMs: number;
  /** Later than asked for, the oldest first. */
  readonly devices: { readonly id: string; readonly readings: Measured[] }[];
}

interface Lease {
  untilMs: number;
  readings: Measured[];
}

/**
 * Devices that somebody looks at closely, for as long as they say so again: a lease that is not renewed lapses, so
 * that a window that was closed, or hangs, costs nothing.
 */
export class Focus {
  readonly #probe: Pick<DeviceProbe, 'focus'>;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();
  #timer: NodeJS.Timeout | undefined;

  /** @param intervalMs between two reports of the probe. */
  constructor(probe: Pick<DeviceProbe, 'focus'>, intervalMs: number, clock: Clock) {
    this.#probe = probe;
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** Looks closely at devices for so long from now on. @param sinceMs only what is later is told. */
  lease(ids: readonly string[], sinceMs: number, forMs: number): Close {
    const untilMs = this.#clock.monotonicMs() + forMs;
    const before = this.#leases.size;
    const devices = ids.map((id) => {
      const lease = this.#leases.get(id) ?? { untilMs, readings: [] };
      lease.untilMs = Math.max(lease.untilMs, untilMs);
      this.#leases.set(id, lease);
      return { id, readings: lease.readings.filter(({ atMs }) => atMs > sinceMs) };
    });
    if (this.#leases.size > before) this.#tell();
    this.#schedule();
    return {
      everyMs: this.#probe.focus === undefined ? this.#intervalMs : FOCUS_INTERVAL_MS,
      devices,
    };
  }

  /** Takes what was measured. */
  take(measured: readonly (readonly [id: string, Measured])[]): void {
    for (const [id, reading] of measured) {
      const readings = this.#leases.get(id)?.readings;
      if (readings === undefined) continue;
      readings.push(reading);
      while (readings[0]!.atMs < reading.atMs - KEPT_MS) readings.shift();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#leases.clear();
  }

  #tell(): void {
    this.#probe.focus?.([...this.#leases.keys()]);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const nowMs = this.#clock.monotonicMs();
    const nextMs = Math.min(...[...this.#leases.values()].map(({ untilMs }) => untilMs));
    if (Number.isFinite(nextMs)) this.#timer = setTimeout(() => this.#lapse(), Math.max(0, nextMs - nowMs));
  }

  #lapse(): void {
    const nowMs = this.#clock.monotonicMs();
    let changed = false;
    for (const [id, { untilMs }] of this.#leases)
      if (untilMs <= nowMs) changed = this.#leases.delete(id) || changed;
    if (changed) this.#tell();
    this.#schedule();
  }
}
