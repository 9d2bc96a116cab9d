import type { DeviceInfo, Measured, Reading } from '../domain/device.ts';

import type { DeviceFault } from './devices/faults.ts';

/** Time, so that tests can own it. */
export interface Clock {
  /** Unix milliseconds. May jump when somebody sets the clock. */
  nowMs(): number;
  /**
   * Milliseconds that only go forward, from a start that is the same for every process until the machine restarts, and
   * that stand still while it sleeps. For intervals, timeouts and time limits.
   */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  // CLOCK_MONOTONIC on Linux; `performance.now()` would start anew with each engine.
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
};

export interface Log {
  info(message: string, detail?: Readonly<Record<string, unknown>>): void;
  warn(message: string, detail?: Readonly<Record<string, unknown>>): void;
  error(message: string, detail?: Readonly<Record<string, unknown>>): void;
}

/** One device as a probe saw it. `reading` null: it is listed but could not be read. */
export interface ProbedDevice {
  readonly info: DeviceInfo;
  readonly reading: Reading | null;
  /** Why it could not be read. */
  readonly trouble: string | null;
  /** The driver says that it is lost, or must be reset: it cannot be used before. */
  readonly lost?: true;
}

/** What a probe reports each time: all devices that are listed now. */
export interface ProbeReport {
  readonly atMs: number;
  readonly devices: readonly ProbedDevice[];
}

/** Between two readings of a device that somebody looks at closely. */
export const FOCUS_INTERVAL_MS = 100;

/**
 * A source of device readings. It reports until it is stopped; a probe that stops answering reports the outage
 * through `onTrouble` and goes on trying. It never blocks the engine.
 */
export interface DeviceProbe {
  readonly kind: 'nvml' | 'nvidia-smi' | 'amd' | 'virtual';
  /** Resolves with the first report. @throws {UnavailableError} if there is nothing of this kind to read. */
  start(listener: ProbeListener): Promise<ProbeReport>;
  /**
   * Measures these devices every {@link FOCUS_INTERVAL_MS} and reports it through `onMeasured`, until it is told others.
   * Left out: it measures no faster than it reports.
   */
  focus?(ids: readonly string[]): void;
  /** Ends every process and timer of the probe. */
  stop(): Promise<void>;
}

export interface ProbeListener {
  onReport(report: ProbeReport): void;
  /** A sentence for people when readings stopped, null when they are back. */
  onTrouble(trouble: string | null): void;
  /** What the driver reports of devices, as it happens. */
  onFaults?(faults: readonly DeviceFault[]): void;
  onMeasured?(measured: readonly (readonly [id: string, Measured])[]): void;
}
