import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBackend } from '../../src/learning/backend.ts';
import { GPU_PACKAGE, probeGpu } from '../../src/learning/probeGpu.ts';

// Stand-ins for the package: what they imitate is how it loads and fails, not CUDA.
const require = createRequire(import.meta.url);
const PACKAGES = {
  broken: "throw new Error('libcudart.so.11.0: cannot open shared object file')",
  hangs: 'for (;;) {}',
  crashes: 'process.abort()',
  works: `
    const util = require('node:util');
    if (util.isNullOrUndefined(0) || !util.isArray([])) throw new Error('the shim is missing');
    const tf = require(${JSON.stringify(require.resolve('@tensorflow/tfjs-core'))});
    require(${JSON.stringify(require.resolve('@tensorflow/tfjs-layers'))});
    require(${JSON.stringify(require.resolve('@tensorflow/tfjs-backend-cpu'))});
    tf.registerBackend('tensorflow', () => tf.findBackend('cpu'), 10);
    tf.copyRegisteredKernels('cpu', 'tensorflow');
    tf.setBackend('tensorflow');
    module.exports = tf;`,
  wrong: `
    const tf = require('works');
    module.exports = { ...tf, relu: (x) => tf.mul(tf.relu(x), 2) };`,
};

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'stint-probe-'));
  for (const [name, source] of Object.entries(PACKAGES)) {
    const folder = join(home, 'node_modules', name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'index.js'), source);
  }
});
afterAll(async () => {
  await rm(home, { recursive: true });
});
const probe = (packageName: string, timeoutMs = 20_000) =>
  probeGpu({ packageName, timeoutMs, from: join(home, 'index.js') });

it('says plainly that the package is absent', async () => {
  expect(await probe('nowhere')).toEqual({ ok: false, reason: 'it is not installed' });
});

it('passes on why the package does not load', async () => {
  expect(await probe('broken')).toEqual({
    ok: false,
    reason: 'Error: libcudart.so.11.0: cannot open shared object file',
  });
});

it('gives up on one that hangs, and survives one that crashes', async () => {
  expect(await probe('hangs', 300)).toEqual({ ok: false, reason: 'it did not answer within 0.3 s' });
  expect(await probe('crashes')).toMatchObject({ ok: false, reason: expect.stringContaining('SIGABRT') });
});

it('believes only right answers', async () => {
  expect(await probe('works')).toEqual({ ok: true });
  expect(await probe('wrong')).toEqual({ ok: false, reason: 'a product came out wrong' });
});

it('falls back to WebAssembly where the GPU package is wished for but absent', async () => {
  const { name, notes } = await startBackend('gpu');
  expect(name).toBe('wasm');
  expect(notes).toEqual([expect.stringContaining(`${GPU_PACKAGE}: it is not installed`)]);
});
