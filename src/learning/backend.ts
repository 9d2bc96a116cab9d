import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FieldError, messageOf, UnavailableError } from '../domain/errors.ts';
import { GPU_PACKAGE, probeGpu, restoreRemovedUtil } from './probeGpu.ts';

const BACKENDS = ['kernels', 'wasm', 'cpu', 'gpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

/**
 * The backend that `STINT_LEARNER_BACKEND` names; undefined where it names none.
 * @throws {FieldError} for any other text.
 */
export function backendOf(env: Readonly<Record<string, string | undefined>>): BackendName | undefined {
  const text = env.STINT_LEARNER_BACKEND;
  if (text === undefined || text === '') return undefined;
  const name = BACKENDS.find((known) => known === text);
  if (name !== undefined) return name;
  throw new FieldError('STINT_LEARNER_BACKEND', text, `choose one of ${BACKENDS.join(', ')}`);
}

/** The backend that runs, and why a wished one does not. */
export interface StartedBackend {
  readonly name: BackendName;
  /** Sentences about what was tried and did not work; empty when the first choice runs. */
  readonly notes: readonly string[];
}

type TensorFlowName = Exclude<BackendName, 'kernels'>;

/**
 * Sets what this process computes gradients with. `kernels` are our own (scheduler/kernels), need nothing, and are the
 * fastest for a network of this size (`npm run bench -- --only learning`). The others are TensorFlow.js's: the wished one,
 * else WebAssembly, else plain JavaScript. The GPU is never the default: TensorFlow would sit in the memory of the very
 * devices that Stint shares out.
 * @throws {UnavailableError} when not even plain JavaScript starts.
 */
export async function startBackend(wish: BackendName = 'kernels'): Promise<StartedBackend> {
  if (wish === 'kernels') return { name: wish, notes: [] };
  const tf = await import('@tensorflow/tfjs-core');
  // Without this the cpu backend prints an advertisement, and every op checks for NaN.
  tf.enableProdMode();
  const notes: string[] = [];
  const names = wish === 'gpu' ? FROM_GPU : FROM_WASM.slice(FROM_WASM.indexOf(wish));
  for (const name of names) {
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

const FROM_WASM: readonly TensorFlowName[] = ['wasm', 'cpu'];
const FROM_GPU: readonly TensorFlowName[] = ['gpu', ...FROM_WASM];
// Not named `require`: the bundler declares one of its own.
const fromHere = createRequire(import.meta.url);

const START: Record<TensorFlowName, () => Promise<void>> = {
  wasm: async () => {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    const home = dirname(fromHere.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
    wasm.setWasmPaths(join(home, 'dist/'));
    // A pool of threads gains nothing on matrices this small, and would outlive the worker's patience.
    const tf = await import('@tensorflow/tfjs-core');
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
  const tf = await import('@tensorflow/tfjs-core');
  if (await tf.setBackend(name)) return;
  throw new UnavailableError(`TensorFlow.js could not start its ${name} backend`, 'another one is tried');
}
