import {
  PAUSE_RUNGS,
  type PauseRung,
  type Rung,
  THROTTLE_RUNGS,
  type ThrottleRung,
} from '../../domain/rungs.ts';
import type { Cgroups } from './cgroups.ts';
import type { CudaCheckpoint } from './cudaCheckpoint.ts';

export interface RungParts {
  readonly cgroups: Cgroups;
  readonly cuda: CudaCheckpoint;
}

const DOES: Readonly<Record<PauseRung | ThrottleRung, string>> = {
  checkpoint: 'ends at its checkpoint, and goes on from there; GPU memory free',
  'cuda-checkpoint': 'moves its GPU memory to the host, and back; GPU memory free',
  freezer: 'its control group stands still; GPU memory held',
  signals: 'every process stands still (SIGSTOP); GPU memory held',
  'duty-cycle': 'runs and stands still in turn',
};

/** Looks at this machine for each rung of both ladders. */
export async function rungsOf({ cgroups, cuda }: RungParts): Promise<Rung[]> {
  const linux = process.platform === 'linux' ? null : 'it needs Linux';
  const pause: Readonly<Record<PauseRung, string | null>> = {
    checkpoint: null,
    'cuda-checkpoint': await cuda.trouble(),
    freezer: await cgroups.freezeTrouble(),
    signals: null,
  };
  const throttle: Readonly<Record<ThrottleRung, string | null>> = { 'duty-cycle': linux };
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
