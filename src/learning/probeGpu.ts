import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import util from 'node:util';

/** Optional, never a dependency: its install script downloads from a host that is often out of reach. */
export const GPU_PACKAGE = '@tensorflow/tfjs-node-gpu';

export type GpuProbe = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface ProbeOptions {
  /** The package to try; another one in tests. */
  readonly packageName?: string;
  /** Patience for loading CUDA, ms. */
  readonly timeoutMs?: number;
  /** Where the package is looked for: a file or file URL. */
  readonly from?: string;
}

/**
 * tfjs-node 4.22 calls util.isNullOrUndefined and util.isArray, which Node 23 removed (tensorflow/tfjs#8609).
 * Restores them for this process; must run before the package loads.
 */
export function restoreRemovedUtil(): void {
  const bag = util as unknown as Record<string, unknown>;
  bag.isNullOrUndefined ??= (value: unknown): boolean => value === null || value === undefined;
  bag.isArray ??= Array.isArray;
}

// Loads the package, runs the ops that learning needs, and compares them with known answers. Exit 0: usable.
const SMOKE_TEST = `
const util = require('node:util');
util.isNullOrUndefined ??= (v) => v === null || v === undefined;
util.isArray ??= Array.isArray;
const tf = require(process.argv[1]);
const fail = (why) => { process.stderr.write(why); process.exit(3); };
if (tf.getBackend() !== 'tensorflow') fail('it fell back to the backend ' + tf.getBackend());
const w = tf.variable(tf.tensor2d([[1, -2], [3, 4]]));
const x = tf.tensor2d([[1, 2]]);
const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(tf.relu(tf.matMul(x, w)))));
if (Math.abs(value.dataSync()[0] - 85) > 1e-3) fail('a product came out wrong');
const grad = Array.from(grads[w.name].dataSync());
if ([14, 12, 28, 24].some((g, i) => Math.abs(g - grad[i]) > 1e-3)) fail('a gradient came out wrong');
tf.train.adam(0.1).applyGradients(grads);
if (Math.abs(w.dataSync()[0] - 0.9) > 1e-3) fail('an Adam step came out wrong');
if (tf.backend().isUsingGpuDevice === false) fail('TensorFlow found no GPU that it can use');
process.exit(0);
`;

/**
 * Tries tfjs-node-gpu in a child process, because a mismatched CUDA can crash or hang. Nothing is loaded here.
 * @returns `ok`, or the reason in a sentence.
 */
export async function probeGpu(options: ProbeOptions = {}): Promise<GpuProbe> {
  const { packageName = GPU_PACKAGE, timeoutMs = 20_000, from = import.meta.url } = options;
  let path: string;
  try {
    path = createRequire(from).resolve(packageName);
  } catch {
    return { ok: false, reason: 'it is not installed' };
  }
  const child = spawn(process.execPath, ['--input-type=commonjs', '--eval', SMOKE_TEST, path], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ELECTRON_RUN_AS_NODE: '1',
      TF_CPP_MIN_LOG_LEVEL: '3',
      TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(null);
      else if (signal !== null) resolve(`it crashed with ${signal}`);
      else resolve(errorLine(said) || `it ended with status ${code}`);
    });
  });
  const patience = new AbortController();
  const late = delay(timeoutMs, 'late' as const, { signal: patience.signal }).catch(() => 'late' as const);
  const outcome = await Promise.race([ended, late]);
  if (outcome === 'late') {
    child.kill('SIGKILL');
    await ended;
    return { ok: false, reason: `it did not answer within ${timeoutMs / 1000} s` };
  }
  patience.abort();
  return outcome === null ? { ok: true } : { ok: false, reason: outcome };
}

/** The line of a stack trace that says what happened. */
function errorLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.filter(Boolean).at(-1) ?? '';
}
