import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { messageOf, UnavailableError } from '../domain/errors.ts';
import { GPU_PACKAGE, probeGpu, restoreRemovedUtil } from './probeGpu.ts';

export const BACKENDS = ['wasm', 'cpu', 'gpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** The backend that runs, and why a wished one does not. */
export interface StartedBackend {
  readonly name: BackendName;
  /** Sentences about what was tried and did not work; empty when the first choice runs. */
  readonly notes: readonly string[];
}

/**
 * Sets the tensor backend of this thread: the wished one, else WebAssembly, else plain JavaScript. The GPU is
 * never the default: TensorFlow would sit in the memory of the very devices that Stint shares out, and for a
 * network this small it is no faster.
 * @throws {UnavailableError} when not even plain JavaScript starts.
 */
export async function startBackend(wish: BackendName = 'wasm'): Promise<StartedBackend> {
  // Without this the cpu backend prints an advertisement, and every op checks for NaN.
  tf.enableProdMode();
  const notes: string[] = [];
  for (const name of wish === 'gpu' ? BACKENDS_FROM_GPU : BACKENDS.slice(BACKENDS.indexOf(wish), 2)) {
    try {
      await START[name]();
      await tf.ready();
      return { name, notes };
    } catch (error) {
      notes.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new UnavailableError(
    `no TensorFlow.js backend starts (${notes.join('; ')})`,
    'reinstall the packages with `npm ci`; until then the policy decides but does not learn',
  );
}

const BACKENDS_FROM_GPU: readonly BackendName[] = ['gpu', 'wasm', 'cpu'];
// Not named `require`: the bundler declares one of its own.
const fromHere = createRequire(import.meta.url);

const START: Record<BackendName, () => Promise<void>> = {
  wasm: async () => {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    const home = dirname(fromHere.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
    wasm.setWasmPaths(join(home, 'dist/'));
    // A pool of threads gains nothing on matrices this small, and would outlive the worker's patience.
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    await use('wasm');
  },
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    await use('cpu');
  },
  gpu: async () => {
    const probe = await probeGpu();
    if (!probe.ok) {
      throw new UnavailableError(`${GPU_PACKAGE}: ${probe.reason}`, 'learning goes on without the GPU');
    }
    restoreRemovedUtil();
    fromHere(GPU_PACKAGE);
    await use('tensorflow');
  },
};

async function use(name: string): Promise<void> {
  if (await tf.setBackend(name)) return;
  throw new UnavailableError(`TensorFlow.js could not start its ${name} backend`, 'another one is tried');
}
