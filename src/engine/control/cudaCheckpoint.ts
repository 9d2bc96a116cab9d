import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ASK_DEADLINE_MS = 10_000;
/** All of a GPU's memory goes over the bus, and may have to be found on a host that swaps. */
const TOGGLE_DEADLINE_MS = 10 * 60_000;

/** `locked` is between the two. */
export type CudaState = 'running' | 'locked' | 'checkpointed' | 'failed';

/**
 * NVIDIA's program `cuda-checkpoint` (github.com/NVIDIA/cuda-checkpoint; driver 570 and newer, x86-64): moves what a process
 * has on its GPUs into the host's memory and lets go of the GPUs, and back.
 */
export class CudaCheckpoint {
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#program = env.STINT_CUDA_CHECKPOINT ?? 'cuda-checkpoint';
    this.#env = { ...env };
  }

  /** Why it cannot be used here, and what would help; null: it can. */
  async trouble(): Promise<string | null> {
    try {
      await this.#ask(['--help']);
      return null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return (
          'there is no program cuda-checkpoint on the PATH; get it from github.com/NVIDIA/cuda-checkpoint (it needs a ' +
          'driver from 570 on)'
        );
      }
      return `cuda-checkpoint does not work: ${wordsOf(error)}`;
    }
  }

  /** null: it is no process that uses CUDA, or is gone. */
  async stateOf(pid: number): Promise<CudaState | null> {
    try {
      const word = (await this.#ask(['--get-state', '--pid', String(pid)])).trim().toLowerCase();
      return (
        (['running', 'locked', 'checkpointed', 'failed'] as const).find((state) => state === word) ?? null
      );
    } catch {
      return null;
    }
  }

  /** Those of these processes that use CUDA, with how they stand. */
  async statesOf(pids: readonly number[]): Promise<ReadonlyMap<number, CudaState>> {
    const states = new Map<number, CudaState>();
    for (const pid of pids) {
      const state = await this.stateOf(pid);
      if (state !== null) states.set(pid, state);
    }
    return states;
  }

  /** From running to checkpointed, or back. @throws {Error} with the program's words. */
  async toggle(pid: number): Promise<void> {
    try {
      await this.#ask(['--toggle', '--pid', String(pid)], TOGGLE_DEADLINE_MS);
    } catch (error) {
      throw new Error(`cuda-checkpoint of process ${pid}: ${wordsOf(error)}`);
    }
  }

  /** @throws {Error} with the program's words. */
  async toBeRunning(pid: number, state: CudaState): Promise<void> {
    if (state !== 'locked') return this.toggle(pid);
    await this.#ask(['--action', 'unlock', '--pid', String(pid)]).catch((error: unknown) => {
      throw new Error(`cuda-checkpoint of process ${pid}: ${wordsOf(error)}`);
    });
  }

  async #ask(args: readonly string[], timeout = ASK_DEADLINE_MS): Promise<string> {
    return (await run(this.#program, args, { env: this.#env, timeout })).stdout;
  }
}

/** Memory of the host that can be had without swapping, MiB (proc_meminfo(5)); null: unknown. */
export function availableHostMib(): number | null {
  try {
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
    return kib === undefined ? null : Number(kib) / 1024;
  } catch {
    return null;
  }
}

function wordsOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return stderr?.trim().split('\n').at(-1) || message;
}
