import { z } from 'zod';
import { vetoSchema } from './decision.ts';
import { deviceRulesSchema, YIELDS } from './deviceRules.ts';

/** A process that holds memory on a device, as the driver reports it. */
export const deviceProcessSchema = z.object({
  pid: z.int().positive(),
  /** null: the driver does not say. */
  memoryMib: z.number().nullable(),
  /** It only draws: a desktop's server or compositor. Left out: it computes, or the driver does not tell. */
  graphics: z.literal(true).optional(),
});
export type DeviceProcess = z.output<typeof deviceProcessSchema>;

/** One look at a device. null means unknown, which is never the same as 0 or free. */
export const readingSchema = z.object({
  atMs: z.number(),
  memoryUsedMib: z.number().nullable(),
  /** 0 to 1. */
  utilisation: z.number().min(0).max(1).nullable(),
  temperatureC: z.number().nullable(),
  powerW: z.number().nullable(),
  powerLimitW: z.number().nullable(),
  smClockMhz: z.number().nullable(),
  /** null: the processes could not be listed. */
  processes: z.array(deviceProcessSchema).nullable(),
});
export type Reading = z.output<typeof readingSchema>;

/** The same without who is on it. */
export const measuredSchema = readingSchema.omit({ processes: true });
export type Measured = z.output<typeof measuredSchema>;

export const DEVICE_KINDS = ['nvidia', 'amd', 'virtual'] as const;

/** What a device is; it does not change while the machine is up. */
export const deviceInfoSchema = z.object({
  /** The driver's UUID (`GPU-…`), or `virtual-N`. What CUDA_VISIBLE_DEVICES is given. */
  id: z.string(),
  /** Position on the PCI bus, as `nvidia-smi` counts with CUDA_DEVICE_ORDER=PCI_BUS_ID. */
  index: z.int().min(0),
  kind: z.enum(DEVICE_KINDS),
  name: z.string(),
  memoryTotalMib: z.number(),
});
export type DeviceInfo = z.output<typeof deviceInfoSchema>;

/**
 * ok: read within the last few polls. unreadable: known but not answering. gone: no longer listed.
 * Only `ok` devices are given jobs.
 */
export const DEVICE_HEALTH = ['ok', 'unreadable', 'gone'] as const;

/** A process on a device that belongs to no job of ours. */
export const foreignProcessSchema = deviceProcessSchema.extend({
  user: z.string().nullable(),
  command: z.string().nullable(),
  startedAtMs: z.number().nullable(),
  /** The job of ours that it belongs to, which was not given this device or is over; null: none of ours. */
  jobId: z.int().nullable(),
  /** Since when it has done nothing; null: it works, or nobody knows. */
  idleSinceMs: z.number().nullable(),
  /** True: the owner said not to mind it. */
  ignored: z.boolean(),
});
export type ForeignProcess = z.output<typeof foreignProcessSchema>;

/** A job's share of a device. */
export const holderSchema = z.object({
  jobId: z.int(),
  /** Memory set aside for it on this device: as declared, or the whole device when nothing was declared. */
  reservedMib: z.number(),
  /** As the driver reports it; null where it does not (virtual devices). */
  usedMib: z.number().nullable(),
});
export type Holder = z.output<typeof holderSchema>;

/** What the driver reported of a device: the number of an Xid message, see domain/xid. */
export const faultSchema = z.object({ code: z.int(), atMs: z.number() });
export type Fault = z.output<typeof faultSchema>;

/** A device as everybody sees it. */
export const deviceSchema = deviceInfoSchema.extend({
  health: z.enum(DEVICE_HEALTH),
  /** Why it is not `ok`, and what to do; null when it is. */
  trouble: z.string().nullable(),
  reading: readingSchema.nullable(),
  /** The last that its driver reported since the engine started; left out: none. */
  fault: faultSchema.optional(),
  holders: z.array(holderSchema),
  foreign: z.array(foreignProcessSchema),
  rules: deviceRulesSchema,
  /** Why nothing new is started on it, by one of the owner's rules; null: things may. */
  closed: vetoSchema.nullable(),
  /** What its jobs must do because of the owner's rules, and why; null: nothing. */
  yields: z.object({ kind: z.enum(YIELDS), reason: z.string() }).nullable(),
});
export type Device = z.output<typeof deviceSchema>;
