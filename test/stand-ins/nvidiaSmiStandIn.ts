import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the stand-in answers. Values are texts as nvidia-smi prints them; fields left out are `[N/A]`. */
export interface SmiControl {
  readonly gpus: readonly Readonly<Record<string, string>>[];
  readonly apps?: readonly {
    readonly gpu_uuid: string;
    readonly pid: string;
    readonly used_memory: string;
  }[];
  /** Lines that stand before each look of either query. */
  readonly gpuNoise?: readonly string[];
  readonly appNoise?: readonly string[];
  /** Says nothing for as long as this is true. */
  readonly hang?: boolean;
  /** Ends with a status, saying this. */
  readonly exit?: { readonly status: number; readonly text: string };
}

export interface NvidiaSmiStandIn {
  /** Give this to the engine's environment. */
  readonly env: { readonly STINT_NVIDIA_SMI: string };
  /** Stands in the command line of each of its processes. */
  readonly mark: string;
  set(control: SmiControl): void;
  dispose(): void;
}

/** Puts an executable `nvidia-smi` into a directory of its own. It lists no GPU until `set`. */
export function makeNvidiaSmiStandIn(): NvidiaSmiStandIn {
  const directory = mkdtempSync(join(tmpdir(), 'stint-smi-'));
  const program = join(directory, 'nvidia-smi');
  const control = join(directory, 'control.json');
  const script = fileURLToPath(new URL('./nvidiaSmi.ts', import.meta.url));
  writeFileSync(
    program,
    `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${script}' '${control}' "$@"\n`,
  );
  chmodSync(program, 0o755);
  const set = (value: SmiControl): void => {
    writeFileSync(`${control}.new`, JSON.stringify(value));
    renameSync(`${control}.new`, control);
  };
  set({ gpus: [] });
  return {
    env: { STINT_NVIDIA_SMI: program },
    mark: control,
    set,
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}
