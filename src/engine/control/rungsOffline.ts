import type { Rung } from '../../domain/rungSchemas.ts';
import type { Log } from '../ports.ts';
import { Cgroups } from './cgroups.ts';
import { CudaCheckpoint } from './cudaCheckpoint.ts';
import { heldRungs } from './heldRungs.ts';
import { PowerLimits } from './powerLimits.ts';
import { rungsOf } from './rungsOf.ts';

/** The rungs of this machine, where no engine runs that would use them. */
export function rungsOffline(options: {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}): Promise<Rung[]> {
  const cgroups = new Cgroups(options);
  const settings = { get: () => null, set: () => undefined };
  const power = new PowerLimits({ ...options, settings });
  const held = heldRungs({ cgroups, power, devices: () => [] });
  return rungsOf({ cgroups, cuda: new CudaCheckpoint(options.env), held });
}
