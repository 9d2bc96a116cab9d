import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface NvmlStandIn {
  /** Give these to the engine's environment. */
  readonly env: { readonly STINT_NVML_LIBRARY: string; readonly STINT_STANDIN_NVML: string };
  /** Says from now on what these lines say (see nvml.c); effective at the next call, in every process. */
  set(...lines: readonly string[]): void;
  /** Removes the library and its control file. */
  dispose(): void;
}

/** Builds the stand-in NVML library with gcc into a directory of its own. It lists one idle GPU until `set`. */
export function buildNvmlStandIn({ oldDriver = false } = {}): NvmlStandIn {
  const directory = mkdtempSync(join(tmpdir(), 'stint-nvml-'));
  const library = join(directory, 'libnvidia-ml.so.1');
  const control = join(directory, 'control');
  const source = fileURLToPath(new URL('./nvml.c', import.meta.url));
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', ...(oldDriver ? ['-DOLD_DRIVER'] : [])];
  try {
    execFileSync('gcc', [...flags, '-o', library, source], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw new Error(
      'the stand-in NVML library could not be built; install gcc (apt-get install gcc libc6-dev)',
      {
        cause: error,
      },
    );
  }
  const set = (...lines: readonly string[]): void => {
    // Written aside and moved, so that no call reads half of it.
    writeFileSync(`${control}.new`, lines.map((line) => `${line}\n`).join(''));
    renameSync(`${control}.new`, control);
  };
  set();
  return {
    env: { STINT_NVML_LIBRARY: library, STINT_STANDIN_NVML: control },
    set,
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}
