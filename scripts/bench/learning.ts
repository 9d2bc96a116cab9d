import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { randomInt, seededRng } from '../../src/domain/rng.ts';
import { startBackend } from '../../src/learning/backend.ts';
import { copyOf, follow, type TrainingBatch } from '../../src/learning/kernelNetwork.ts';
import { QNetwork } from '../../src/learning/qNetwork.ts';
import { bestRow } from '../../src/learning/targets.ts';
import { kernelBackend, type TrainableNetwork } from '../../src/learning/trainableNetwork.ts';
import { forward, initialWeights, scoresOf, type Weights } from '../../src/scheduler/network.ts';
import { type Figure, median } from './measure.ts';

/** A batch as the trainer draws it: 64 decisions of 16 candidates, so 1,024 rows. */
const SPEC = { features: 50, hidden: [64, 64], sets: 64, rows: 16, count: 60 };
const FORWARDS = [16, 1024] as const;
const CONFIG = {
  learningRate: 1e-4,
  adamEpsilon: 1e-8,
  huberDelta: 1,
  maxGradientNorm: 10,
  imitationTemperature: 1,
};

/** What is measured of a backend: milliseconds of a training step, and of a pass over so many rows. */
interface Contender {
  readonly name: string;
  step(): Promise<number>;
  forward(rows: number): Promise<number>;
}

/**
 * A whole step of double Q-learning (targets, loss, gradient, clipping, Adam, soft update of the target network) and
 * inference, on the kernels, on TensorFlow.js (wasm) and in PyTorch: same network, batch and machine, turn and turn about.
 */
export async function learningSpeed(repetitions: number): Promise<Figure[]> {
  const { contender: torch, note, end } = await pytorch();
  const contenders = [ours('kernels'), await tensorflow(), ...(torch === null ? [] : [torch])];
  const times = new Map<string, number[]>();
  const note1 = (key: string, value: number): void => void times.set(key, [...(times.get(key) ?? []), value]);
  // The first turn is for the compilers.
  for (let repetition = -1; repetition < repetitions; repetition++) {
    for (const contender of contenders) {
      const step = await contender.step();
      const passes: number[] = [];
      for (const rows of FORWARDS) passes.push(await contender.forward(rows));
      if (repetition < 0) continue;
      note1(`${contender.name} step`, step);
      FORWARDS.forEach((rows, i) => {
        note1(`${contender.name} ${rows}`, passes[i]!);
      });
    }
  }
  await end();
  const shape = `${SPEC.features}-${SPEC.hidden.join('-')}, dueling; median of ${SPEC.count} each time; ${note}`;
  const figures: Figure[] = [];
  const ratioTo = (key: string): number[] =>
    times.get(`kernels ${key}`)!.map((value, i) => value / times.get(`PyTorch ${key}`)![i]!);
  for (const [key, what] of [
    ['step', `training step of ${SPEC.sets} decisions, ${SPEC.sets * SPEC.rows} rows`],
    ...FORWARDS.map((rows) => [String(rows), `inference, ${rows} rows`] as const),
  ] as const) {
    for (const { name } of contenders) {
      figures.push({
        what: `${what}: ${name}`,
        unit: 'ms',
        values: times.get(`${name} ${key}`)!,
        target: null,
        how: shape,
      });
    }
    if (torch === null) continue;
    const target = { limit: 1, better: 'less' } as const;
    figures.push({
      what: `${what}: kernels to PyTorch`,
      unit: '×',
      values: ratioTo(key),
      target,
      how: shape,
    });
  }
  return figures;
}

function ours(
  name: string,
  make: (weights: Weights) => TrainableNetwork = (weights) => kernelBackend(weights, CONFIG),
): Contender {
  const { features, hidden, sets, rows } = SPEC;
  const rng = seededRng(1);
  const weights = initialWeights(rng, features, hidden);
  const network = make(weights);
  const target = copyOf(weights);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * rng.next() - 1);
  const states = numbers(sets * rows * features);
  const following = numbers(sets * rows * features);
  const rewards = numbers(sets);
  const setRows = new Array<number>(sets).fill(rows);
  const chosen = setRows.map(() => randomInt(rng, rows));
  const scores = (of: Weights, x: Float32Array, each: readonly number[]): Float32Array =>
    network instanceof QNetwork ? network.scores(x, each) : scoresOf(of, x, each);
  const step = (): void => {
    const online = network.weights();
    const choosing = scores(online, following, setRows);
    const values = scores(target, following, setRows);
    const targets = Float32Array.from(
      rewards,
      (reward, set) => reward + 0.9 * values[bestRow(choosing, set * rows, rows, 1, 0, 1)]!,
    );
    const batch: TrainingBatch = {
      features: states,
      setRows,
      chosen,
      targets,
      lossWeights: new Float32Array(sets).fill(1),
    };
    network.train(batch);
    follow(target, network.weights(), 0.005);
  };
  const timed = (work: () => void): number => {
    const times = Array.from({ length: SPEC.count }, () => {
      const atMs = performance.now();
      work();
      return performance.now() - atMs;
    });
    return median(times);
  };
  return {
    name,
    step: async () => timed(step),
    forward: async (count) => {
      const x = states.subarray(0, count * features);
      const online = network.weights();
      return timed(() => {
        if (network instanceof QNetwork) network.scores(x, [count]);
        else forward(online, x, count);
      });
    },
  };
}

async function tensorflow(): Promise<Contender> {
  const { name } = await startBackend('wasm');
  return ours(`TensorFlow.js ${name}`, (weights) => new QNetwork(weights, CONFIG));
}

/** Debian's PyTorch on the CPU; null where there is none. */
async function pytorch(): Promise<{ contender: Contender | null; note: string; end: () => Promise<void> }> {
  const child = spawn('/usr/bin/python3', [join(import.meta.dirname, 'learning.py')], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<string | null> => {
    child.stdin.write(`${line}\n`);
    const { value, done } = await lines.next();
    return done ? null : (value as string);
  };
  const hello = await ask(JSON.stringify(SPEC));
  if (hello === null) {
    console.error('no PyTorch for /usr/bin/python3 (apt install python3-torch): nothing to compare with');
    return { contender: null, note: 'without PyTorch', end: () => gone };
  }
  const { torch, threads } = JSON.parse(hello) as { torch: string; threads: number };
  return {
    contender: {
      name: 'PyTorch',
      step: async () => Number(await ask('step')),
      forward: async (rows) => Number(await ask(`forward ${rows}`)),
    },
    note: `PyTorch ${torch} on ${threads} thread${threads === 1 ? '' : 's'}`,
    end: () => {
      child.stdin.end();
      return gone;
    },
  };
}
