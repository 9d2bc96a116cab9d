import { FieldError } from './errors.ts';

/** Where device readings should come from, as `--devices` gives it. */
export type DeviceSpec =
  | { readonly kind: 'auto' }
  | { readonly kind: 'nvml' }
  | { readonly kind: 'nvidia-smi' }
  | { readonly kind: 'amd' }
  | { readonly kind: 'virtual'; readonly count: number; readonly memoryMib: number };

/** Memory of a virtual device when the spec does not say. */
export const DEFAULT_VIRTUAL_MIB = 16_384;
const MOST_VIRTUAL_DEVICES = 64;
const MOST_VIRTUAL_MIB = 1024 * 1024;

const REMEDY =
  `give auto, nvml, nvidia-smi, amd or virtual:N[xMiB], with N from 1 to ${MOST_VIRTUAL_DEVICES} and ` +
  `MiB from 1 to ${MOST_VIRTUAL_MIB}, such as virtual:2x8192`;

/**
 * Reads `auto | nvml | nvidia-smi | amd | virtual:N[xMiB]`.
 * @throws {FieldError} naming the field `devices`, for anything else.
 */
export function parseDeviceSpec(text: string): DeviceSpec {
  if (text === 'auto' || text === 'nvml' || text === 'nvidia-smi' || text === 'amd') return { kind: text };
  const match = /^virtual:(\d{1,2})(?:x(\d{1,7}))?$/.exec(text);
  if (match === null) throw new FieldError('devices', text, REMEDY);
  const count = Number(match[1]);
  const memoryMib = match[2] === undefined ? DEFAULT_VIRTUAL_MIB : Number(match[2]);
  if (count < 1 || count > MOST_VIRTUAL_DEVICES || memoryMib < 1 || memoryMib > MOST_VIRTUAL_MIB) {
    throw new FieldError('devices', text, REMEDY);
  }
  return { kind: 'virtual', count, memoryMib };
}
