import type { StintClient } from '../../src/contract/client.ts';
import { isLive } from '../../src/domain/job.ts';
import { buildNvmlStandIn, type NvmlStandIn } from '../../test/stand-ins/nvml/buildNvmlStandIn.ts';

const GPUS = 4;
const TOTAL_MIB = 49_140;
const LIMIT_W = 300;
export const GPU_IDS = Array.from({ length: GPUS }, (_, i) => `GPU-0000000${i}-57a7-4e11-9c00-000000000000`);

/** Four GPUs of which NVIDIA's library would say what it says of real ones: used and warm where jobs are, cool elsewhere. */
export class Gpus {
  readonly #nvml: NvmlStandIn = buildNvmlStandIn();
  readonly #warmth = GPU_IDS.map(() => 0);
  #at = 0;

  constructor() {
    this.#say(GPU_IDS.map(() => []));
  }

  get env(): NodeJS.ProcessEnv {
    return { ...this.#nvml.env };
  }

  /** What the jobs that are on them now make of them, a second later. */
  async step(client: StintClient): Promise<void> {
    const { jobs } = await client.jobs.list({ limit: 500 });
    const live = jobs.filter(({ status, process }) => isLive(status) && process !== null);
    this.#say(
      GPU_IDS.map((id) =>
        live
          .filter(({ devices }) => devices.includes(id))
          .map(({ process, vramMib, status }) => ({
            pid: process!.pid,
            mib: Math.round(0.93 * (vramMib ?? 30_000)),
            works: status === 'running',
          })),
      ),
    );
  }

  dispose(): void {
    this.#nvml.dispose();
  }

  #say(on: readonly (readonly { pid: number; mib: number; works: boolean }[])[]): void {
    this.#at += 1;
    this.#nvml.set(
      `count ${GPUS}`,
      ...on.flatMap((processes, i) => {
        const busy = processes.filter(({ works }) => works).length;
        this.#warmth[i]! += 0.15 * (Math.min(1, busy) - this.#warmth[i]!);
        const warmth = this.#warmth[i]!;
        // It is never quite even, and each at its own pace.
        const wave = Math.sin(this.#at / (7 + 3 * i)) + 0.4 * Math.sin(this.#at / (2 + i));
        const utilisation = busy === 0 ? 0 : Math.min(100, Math.round(82 + 6 * busy + 7 * wave));
        return [
          `${i}.uuid ${GPU_IDS[i]}`,
          `${i}.name NVIDIA RTX A6000`,
          `${i}.total ${TOTAL_MIB}`,
          // No GPU holds more than it has.
          `${i}.used ${Math.min(
            TOTAL_MIB,
            processes.reduce((sum, { mib }) => sum + mib, 340),
          )}`,
          `${i}.utilisation ${utilisation}`,
          `${i}.temperature ${Math.round(38 + 34 * warmth + wave)}`,
          `${i}.limit ${1000 * LIMIT_W}`,
          `${i}.power ${Math.round(1000 * (24 + 245 * warmth + 8 * wave * warmth))}`,
          `${i}.clock ${busy === 0 ? 210 : Math.round(1785 - 15 * Math.abs(wave))}`,
          ...processes.map(({ pid, mib }) => `${i}.compute ${pid} ${mib}`),
        ];
      }),
    );
  }
}
