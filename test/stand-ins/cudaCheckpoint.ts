import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A stand-in for NVIDIA's program `cuda-checkpoint`: a process uses CUDA if it was said so, and toggling changes a word in
 * a file. What it does not imitate: any memory that moves, the time that this takes, the lock, a process that waits in a
 * call of CUDA, and one that is stuck because its restore found no memory.
 */
export interface CudaCheckpointStandIn {
  /** Give this to the engine's environment. */
  readonly env: { readonly STINT_CUDA_CHECKPOINT: string };
  /** How a process stands from now on. */
  set(pid: number, state: 'running' | 'checkpointed'): void;
  stateOf(pid: number): string | null;
  /** Until it is null again, toggling fails with these words. */
  fail(words: string | null): void;
  dispose(): void;
}

const SCRIPT = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
case "$1" in
  --help) echo 'a stand-in for cuda-checkpoint' ;;
  --get-state) cat "$3" 2>/dev/null || { echo 'not a CUDA process' >&2; exit 1; } ;;
  --toggle)
    if [ -e fail ]; then cat fail >&2; exit 1; fi
    case "$(cat "$3")" in
      running) echo checkpointed >"$3" ;;
      checkpointed) echo running >"$3" ;;
      *) exit 1 ;;
    esac ;;
  *) exit 2 ;;
esac
`;

/** Puts an executable `cuda-checkpoint` into a directory of its own. No process uses CUDA until `set`. */
export function makeCudaCheckpointStandIn(): CudaCheckpointStandIn {
  const directory = mkdtempSync(join(tmpdir(), 'stint-cuda-'));
  const program = join(directory, 'cuda-checkpoint');
  writeFileSync(program, SCRIPT);
  chmodSync(program, 0o755);
  const file = (pid: number): string => join(directory, String(pid));
  return {
    env: { STINT_CUDA_CHECKPOINT: program },
    set: (pid, state) => writeFileSync(file(pid), `${state}\n`),
    stateOf: (pid) => (existsSync(file(pid)) ? readFileSync(file(pid), 'utf8').trim() : null),
    fail(words) {
      if (words === null) rmSync(join(directory, 'fail'), { force: true });
      else writeFileSync(join(directory, 'fail'), `${words}\n`);
    },
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}
