// The demo's training where PyTorch is missing: TensorFlow.js (wasm) in Node, on data that it makes.
//   train.ts TASK --epochs N [--width W]
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { randomNormal, seededRng } from '../../src/domain/rng.ts';

interface Task {
  /** A row per example. */
  readonly inputs: number[][];
  readonly targets: number[][];
  readonly loss: 'categoricalCrossentropy' | 'meanSquaredError';
}

const rng = seededRng(1);
const examples = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Three interleaved spirals, to be told apart. */
function spirals(): Task {
  const n = 3000;
  const inputs = examples(n, (i) => {
    const t = rng.next();
    const angle = 4 * t + ((i % 3) * 2 * Math.PI) / 3 + 0.15 * randomNormal(rng);
    return [t * Math.cos(angle), t * Math.sin(angle)];
  });
  const targets = examples(n, (i) => [0, 1, 2].map((k) => (i % 3 === k ? 1 : 0)));
  return { inputs, targets, loss: 'categoricalCrossentropy' };
}

/** The next value of a sum of two sines from the sixteen before. */
function waves(): Task {
  const series = examples(6000, () => {
    const sines = [0, 1].map(() => ({ pace: 0.5 + rng.next(), phase: 6.3 * rng.next() }));
    return examples(17, (t) =>
      sines.reduce((sum, { pace, phase }) => sum + Math.sin((pace * t) / 6 + phase), 0),
    );
  });
  return {
    inputs: series.map((s) => s.slice(0, 16)),
    targets: series.map((s) => s.slice(16)),
    loss: 'meanSquaredError',
  };
}

/** Smooth random curves, to be rebuilt by an autoencoder. */
function compress(): Task {
  const curves = examples(4000, () => {
    const amplitudes = examples(5, (k) => randomNormal(rng) / (1 + k));
    return examples(96, (t) =>
      amplitudes.reduce((sum, a, k) => sum + a * Math.cos((Math.PI * k * t) / 95), 0),
    );
  });
  return { inputs: curves, targets: curves, loss: 'meanSquaredError' };
}

const TASKS: Readonly<Record<string, () => Task>> = { spirals, waves, compress };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { epochs: { type: 'string' }, width: { type: 'string', default: '32' } },
});
const make = TASKS[positionals[0] ?? ''];
const epochs = Number(values.epochs);
const width = Number(values.width);
if (make === undefined || !(epochs >= 1) || !(width >= 1)) {
  console.error(`usage: train.ts ${Object.keys(TASKS).join('|')} --epochs N [--width W]`);
  process.exit(2);
}
setWasmPaths(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep);
await tf.setBackend('wasm');
const { inputs, targets, loss } = make();
const model = layers.sequential({
  layers: [
    layers.layers.dense({ inputShape: [inputs[0]!.length], units: width, activation: 'relu' }),
    layers.layers.dense({ units: width, activation: 'relu' }),
    layers.layers.dense({
      units: targets[0]!.length,
      ...(loss === 'meanSquaredError' ? {} : { activation: 'softmax' }),
    }),
  ],
});
model.compile({ optimizer: tf.train.adam(3e-3), loss });
console.log(`${positionals[0]} on TensorFlow.js ${tf.getBackend()}: ${model.countParams()} parameters`);
await model.fit(tf.tensor2d(inputs), tf.tensor2d(targets), {
  epochs,
  batchSize: 64,
  verbose: 0,
  callbacks: {
    onEpochEnd: async (epoch, logs) => {
      console.log(`epoch ${epoch + 1}/${epochs} loss ${Number(logs?.loss).toFixed(4)}`);
    },
  },
});
