import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Which GPU is where on the bus, by the driver's own files: `0000:65:00` to `GPU-…`. Empty where there are none.
 * `STINT_NVIDIA_PROC` names another directory, for tests.
 */
export function nvidiaAddresses(
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const root = env.STINT_NVIDIA_PROC || '/proc/driver/nvidia/gpus';
  const found = new Map<string, string>();
  let names: string[];
  try {
    names = readdirSync(root);
  } catch {
    return found;
  }
  for (const name of names) {
    try {
      const uuid = /^GPU UUID:\s*(GPU-\S+)$/m.exec(
        readFileSync(join(root, name, 'information'), 'latin1'),
      )?.[1];
      if (uuid !== undefined) found.set(name.toLowerCase().replace(/\.\d+$/, ''), uuid);
    } catch {
      // It went away meanwhile.
    }
  }
  return found;
}
