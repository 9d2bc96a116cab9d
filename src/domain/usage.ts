import { z } from 'zod';

/** By what usage is added up. */
export const USAGE_BY = ['user', 'project'] as const;

/** What jobs that have a user or a project in common took of the machine within some time. */
export const usageSchema = z.object({
  name: z.string(),
  jobs: z.int(),
  /** Time that they had GPUs, without pauses, times the GPUs; hours. */
  gpuHours: z.number(),
  /** Drawn by their GPUs meanwhile, what a shared GPU drew in like parts; null: no power was measured. */
  energyKwh: z.number().nullable(),
  /** GPU-hours of them for which power was measured: where it is less than `gpuHours`, energy is missing. */
  measuredGpuHours: z.number(),
});
export type Usage = z.output<typeof usageSchema>;

/** What a job's GPUs drew while it had them. */
export const energySchema = z.object({
  id: z.int(),
  joules: z.number(),
  /** GPU-seconds for which it was measured. */
  measuredGpuS: z.number(),
});
export type Energy = z.output<typeof energySchema>;
