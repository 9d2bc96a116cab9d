import { FieldError } from './errors.ts';
import type { Job } from './job.ts';
import { formatMib } from './units.ts';

export const MAX_GPUS = 64;

/** How many GPUs a job asks for, as its fields have it. */
export interface GpuNeed {
  readonly gpus: number;
  readonly minGpus: number | null;
  readonly gpuShare: number | null;
}

const REMEDY = `give a number from 0 to ${MAX_GPUS}, a range such as 1-4, or a part of one GPU such as 0.5`;

/**
 * Reads `2`, a range `1-4` (the scheduler chooses), or a part of one GPU, `0.5` (sharing is welcome).
 * @throws {FieldError} naming `field`.
 */
export function parseGpuNeed(text: string, field: string): GpuNeed {
  const refused = new FieldError(field, text, REMEDY);
  const given = text.trim();
  const range = /^(\d{1,3})\s*-\s*(\d{1,3})$/.exec(given);
  if (range !== null) {
    const [least, most] = [Number(range[1]), Number(range[2])];
    if (least < 1 || most > MAX_GPUS) throw refused;
    if (least > most) throw new FieldError(field, text, `put the smaller number first: ${most}-${least}`);
    return { gpus: most, minGpus: least === most ? null : least, gpuShare: null };
  }
  if (/^\d{1,3}$/.test(given)) {
    if (Number(given) > MAX_GPUS) throw refused;
    return { gpus: Number(given), minGpus: null, gpuShare: null };
  }
  const part = /^0?\.\d+$/.test(given) ? Number(given) : 0;
  if (part <= 0 || part >= 1) throw refused;
  return { gpus: 1, minGpus: null, gpuShare: part };
}

/** `none`, `1`, `1-4`, `0.5`: as `parseGpuNeed` reads it. */
export function gpuNeedText({ gpus, minGpus, gpuShare }: GpuNeed): string {
  if (gpuShare !== null) return String(gpuShare);
  return minGpus === null ? String(gpus) : `${minGpus}-${gpus}`;
}

/** For people: `CPU only`, `2 GPUs, 6 GiB on each`, `1 to 4 GPUs, unshared`, `0.5 of a GPU, 10.8 GiB`. */
export function gpuNeedSentence(job: GpuNeed & Pick<Job, 'vramMib' | 'exclusive'>): string {
  const { gpus, minGpus, gpuShare, vramMib } = job;
  if (gpus === 0) return 'CPU only';
  const count = minGpus === null ? String(gpus) : `${minGpus} to ${gpus}`;
  const many = gpuShare === null ? `${count} ${gpus === 1 ? 'GPU' : 'GPUs'}` : `${gpuShare} of a GPU`;
  const memory = vramMib === null ? 'unshared' : `${formatMib(vramMib)}${gpus > 1 ? ' on each' : ''}`;
  return `${many}, ${memory}${job.exclusive && vramMib !== null ? ', never shared' : ''}`;
}

/** Of a GPU's memory, so much is divided among those that ask for parts: the rest is for a desktop, and what jobs forget. */
const DIVIDED = 0.9;

/** What a part of a GPU means for its memory, in whole MiB, at least 1. @param memoryMib of the smallest GPU that might be it. */
export const shareMib = (gpuShare: number, memoryMib: number): number =>
  Math.max(1, Math.floor(gpuShare * DIVIDED * memoryMib));
