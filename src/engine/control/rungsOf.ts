import type { Rung } from '../../domain/rungSchemas.ts';
import {
  type HeldRung,
  PAUSE_RUNGS,
  type PauseRung,
  THROTTLE_RUNGS,
  type ThrottleRung,
} from '../../domain/rungs.ts';
import type { Cgroups } from './cgroups.ts';
import type { CudaCheckpoint } from './cudaCheckpoint.ts';
import type { Held } from './heldRungs.ts';

export interface RungParts {
  readonly cgroups: Cgroups;
  readonly held: Readonly<Record<HeldRung, Held>>;
  readonly cuda: CudaCheckpoint;
}

const DOES: Readonly<Record<PauseRung | ThrottleRung, string>> = {
  checkpoint: 'ends at its checkpoint, and goes on from there; GPU memory free',
  'cuda-checkpoint': 'moves its GPU memory to the host, and back; GPU memory free',
  freezer: 'its control group stands still; GPU memory held',
  signals: 'every process stands still (SIGSTOP); GPU memory held',
  'cpu-quota':
    'at most that share of all processors, and last where others want them; its GPUs are left alone',
  nice: 'gives way to others on the processors; its GPUs are left alone',
  'gpu-power': 'its GPUs may draw no more than that share; only where it has them to itself',
  'duty-cycle': 'runs and stands still in turn',
};

/** Looks at this machine for each rung of both ladders. */
export async function rungsOf({ cgroups, cuda, held }: RungParts): Promise<Rung[]> {
  const linux = process.platform === 'linux' ? null : 'it needs Linux';
  const pause: Readonly<Record<PauseRung, string | null>> = {
    checkpoint: null,
    'cuda-checkpoint': await cuda.trouble(),
    freezer: await cgroups.freezeTrouble(),
    signals: null,
  };
  const throttle: Readonly<Record<ThrottleRung, string | null>> = {
    'cpu-quota': await held['cpu-quota'].trouble(),
    nice: await held.nice.trouble(),
    'gpu-power': await held['gpu-power'].trouble(),
    'duty-cycle': linux,
  };
  const found = (ladder: Rung['ladder'], rung: PauseRung | ThrottleRung, trouble: string | null): Rung => ({
    ladder,
    rung,
    does: DOES[rung],
    works: trouble === null,
    note: trouble ?? (rung === 'checkpoint' ? 'only jobs submitted with --restartable' : null),
  });
  return [
    ...THROTTLE_RUNGS.map((rung) => found('throttle', rung, throttle[rung])),
    ...PAUSE_RUNGS.map((rung) => found('pause', rung, pause[rung])),
  ];
}
