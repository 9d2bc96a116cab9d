import type { ProbeReport } from '../ports.ts';

/** A line from the NVML child: a report, or why there will be none. */
export type NvmlLine = ProbeReport | { readonly failed: string; readonly absent: boolean };
