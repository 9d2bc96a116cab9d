import type { Measured } from '../../domain/device.ts';
import type { ProbeReport } from '../ports.ts';
import type { DeviceFault } from './faults.ts';

/** A line from the NVML child: a report, what devices in focus measure, what the driver reports, or why there will be none. */
export type NvmlLine =
  | ProbeReport
  | { readonly measured: readonly (readonly [id: string, Measured])[] }
  | { readonly faults: readonly DeviceFault[] }
  | { readonly failed: string; readonly absent: boolean };

/** A line to it: which devices are in focus from now on, and how often they are measured. */
export interface FocusLine {
  readonly focus: readonly string[];
  readonly everyMs: number;
}
