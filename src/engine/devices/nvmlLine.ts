import type { Measured } from '../../domain/device.ts';
import type { ProbeReport } from '../ports.ts';
import type { DeviceFault } from './faults.ts';

/** What one device measured at one moment. */
export type Measurement = readonly [id: string, Measured];

/** A line from the NVML child: a report, what devices in focus measure, what the driver reports, or why there will be none. */
export type NvmlLine =
  | ProbeReport
  | { readonly measured: readonly Measurement[] }
  | { readonly faults: readonly DeviceFault[] }
  | { readonly failed: string; readonly absent: boolean };

/** A line to it: which devices are in focus from now on. */
export interface FocusLine {
  readonly focus: readonly string[];
}
