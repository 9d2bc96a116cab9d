import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_GOALS } from '../../src/domain/reward.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { LIVE_AGENT } from '../../src/learning/agent.ts';
import { Learner, type LearnerOptions, type LearnerStatus } from '../../src/learning/learner.ts';
import { decodeTransition, encodeTransition, type Transition } from '../../src/learning/transition.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../src/scheduler/features.ts';
import {
  checkWeights,
  decodeWeights,
  initialWeights,
  tensorsOf,
  type Weights,
} from '../../src/scheduler/network.ts';

const CONFIG = {
  ...LIVE_AGENT,
  minReplay: 16,
  publishEverySteps: 10,
  stepsPerTransition: 4,
  maxOwedSteps: 60,
};
const DEADLINE = { timeout: 20_000, interval: 20 };

/** Weights under which launching is best: any that the sanity check lets through. */
function launchingWeights(): Weights {
  const weights = initialWeights(seededRng(1), FEATURE_COUNT, [8]);
  const [layer] = weights.trunk;
  // The first hidden unit is the feature `launch`, and the advantage is that unit alone.
  layer!.kernel.fill(0);
  layer!.kernel[FEATURE_NAMES.indexOf('launch') * 8] = 1;
  weights.advantage.fill(0);
  weights.advantage[0] = 1;
  return weights;
}

function transition(n: number): Transition {
  const rng = seededRng(n);
  const rows = { features: Float32Array.from({ length: 2 * FEATURE_COUNT }, () => rng.next()), rows: 2 };
  return {
    decisionId: n,
    episodeId: 1,
    atMs: n,
    state: rows,
    chosen: 0,
    reward: { completion: -0.1, utilisation: 0, fairness: 0 },
    discount: 0.9,
    next: rows,
    goals: DEFAULT_GOALS,
  };
}

let learner: Learner | null = null;
afterEach(async () => {
  await learner?.stop();
  learner = null;
});

function startLearner(options: Partial<LearnerOptions> = {}) {
  const store: Uint8Array[] = [];
  const published: { trainSteps: number; blob: Uint8Array }[] = [];
  const seen: LearnerStatus[] = [];
  const made = new Learner({
    weights: launchingWeights(),
    config: CONFIG,
    storedTransitions: 0,
    refill: (limit, skip) => store.slice(0, store.length - skip).slice(-limit),
    firstBackoffMs: 20,
    onWeights(weights, trainSteps, blob) {
      checkWeights(weights, FEATURE_COUNT);
      published.push({ trainSteps, blob });
    },
    onStatus: (status) => seen.push(status),
    ...options,
  });
  learner = made;
  const push = (from: number, to: number): void => {
    for (let n = from; n < to; n++) {
      store.push(encodeTransition(transition(n), FEATURE_NAMES));
      made.push(transition(n));
    }
  };
  return { made, push, published, seen, store };
}

/** Node's handle of the worker, to do to it what a crash would. */
const workerOf = (made: Learner) => (made as unknown as { worker: ChildProcess | null }).worker;

/** Processor time that a process has had. Linux counts it in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Signal 0 asks only whether there is such a process. */
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const asleep = (made: Learner) => vi.waitFor(() => expect(made.status().state).toBe('asleep'), DEADLINE);

it('starts no worker before there is something to learn from, then trains and publishes', async () => {
  const { made, push, published } = startLearner();
  push(0, 15);
  expect(made.status()).toMatchObject({ state: 'waiting', backend: null, restarts: 0 });
  expect(workerOf(made)).toBeNull();
  push(15, 40);
  await vi.waitFor(() => expect(published.length).toBeGreaterThanOrEqual(3), DEADLINE);
  expect(published.slice(0, 3).map(({ trainSteps }) => trainSteps)).toEqual([10, 20, 30]);
  const decoded = decodeWeights(published[0]!.blob, FEATURE_NAMES);
  expect(decoded).not.toEqual(launchingWeights());
  expect(made.status()).toMatchObject({
    state: 'learning',
    backend: 'kernels',
    replaySize: 40,
    trouble: null,
  });
  expect(made.status().loss).toBeGreaterThan(0);
});

it('takes no more steps than the new transitions pay for', async () => {
  const { made, push, seen } = startLearner({ storedTransitions: 100, trainSteps: 7 });
  made.start();
  await vi.waitFor(() => expect(made.status().state).toBe('learning'), DEADLINE);
  push(0, 20);
  // 20 × 4 steps would be 80; no more than 60 may be owed, and some are taken while the rest arrive.
  await vi.waitFor(() => expect(made.status().trainSteps).toBeGreaterThanOrEqual(60), DEADLINE);
  const reports = seen.length;
  push(20, 21);
  await vi.waitFor(() => expect(made.status().replaySize).toBe(21), DEADLINE);
  expect(seen.length).toBeGreaterThan(reports);
  expect(made.status().trainSteps).toBeLessThanOrEqual(7 + 84);
});

it('takes no step while it may take nothing, and those that are owed once it may', async () => {
  const { made, push } = startLearner({ cpuShare: 0 });
  push(0, 20);
  await vi.waitFor(
    () => expect(made.status()).toMatchObject({ state: 'learning', replaySize: 20 }),
    DEADLINE,
  );
  expect(made.status().trainSteps).toBe(0);
  made.setCpuShare(0.5);
  await vi.waitFor(() => expect(made.status().trainSteps).toBeGreaterThanOrEqual(4), DEADLINE);
});

it('keeps to its share of a core', async () => {
  const { made, push } = startLearner({
    cpuShare: 0.2,
    config: { ...CONFIG, maxOwedSteps: 100_000, stepsPerTransition: 2000 },
  });
  push(0, 20);
  await vi.waitFor(() => expect(made.status().trainSteps).toBeGreaterThan(20), DEADLINE);
  const { pid } = workerOf(made)!;
  const [beforeMs, before] = [performance.now(), cpuMs(pid!)];
  await vi.waitFor(() => expect(cpuMs(pid!) - before).toBeGreaterThan(400), DEADLINE);
  // A busy machine gives it less. What is around a step costs something too.
  expect((cpuMs(pid!) - before) / (performance.now() - beforeMs)).toBeLessThan(0.3);
});

it('replaces a worker that was killed, and goes on from the last weights and the stored experience', async () => {
  const { made, push, published, seen, store } = startLearner();
  push(0, 30);
  made.start();
  await vi.waitFor(() => expect(published.length).toBeGreaterThan(0), DEADLINE);
  workerOf(made)!.kill('SIGKILL');
  await vi.waitFor(() => expect(made.status().restarts).toBe(1), DEADLINE);
  expect(seen.some(({ state, trouble }) => state === 'restarting' && trouble?.includes('starts again'))).toBe(
    true,
  );
  const before = published.at(-1)!.trainSteps;
  await vi.waitFor(() => expect(made.status().state).toBe('learning'), DEADLINE);
  push(30, 45);
  await vi.waitFor(() => expect(published.at(-1)!.trainSteps).toBeGreaterThan(before), DEADLINE);
  await vi.waitFor(() => expect(made.status().replaySize).toBe(store.length), DEADLINE);
  expect(made.status()).toMatchObject({ restarts: 1, trouble: null });
});

it('skips stored transitions that are damaged, and says so', async () => {
  const { made, store } = startLearner({ storedTransitions: 2 });
  store.push(new Uint8Array(10), encodeTransition(transition(1), FEATURE_NAMES));
  made.start();
  await vi.waitFor(() => expect(made.status().replaySize).toBe(1), DEADLINE);
  expect(made.status()).toMatchObject({ state: 'learning', restarts: 0 });
  expect(made.status().trouble).toContain('cut short');
});

it('holds back weights under which the machine would stand still', async () => {
  const weights = launchingWeights();
  weights.advantage[0] = -1;
  const { made, push, published } = startLearner({ weights });
  push(0, 30);
  await vi.waitFor(() => expect(made.status().trouble).toMatch(/set back.*let a job wait/), DEADLINE);
  expect(published).toEqual([]);
});

it('reports and survives a worker that cannot start, and stops cleanly in between', async () => {
  const { made } = startLearner({ weights: initialWeights(seededRng(1), 5) });
  made.start();
  await vi.waitFor(() => expect(made.status().restarts).toBeGreaterThanOrEqual(2), DEADLINE);
  expect(made.status().trouble).toContain('impossible shapes');
  await made.stop();
  const { restarts } = made.status();
  expect(made.status().state).toBe('stopped');
  made.start();
  made.push(transition(1));
  expect(workerOf(made)).toBeNull();
  expect(made.status().restarts).toBe(restarts);
});

it('refills the memory in order, though it is read in pages and more comes meanwhile', async () => {
  const { made, push, store } = startLearner({
    storedTransitions: 300,
    config: { ...CONFIG, replayCapacity: 200, minReplay: 1000 },
  });
  for (let n = 0; n < 300; n++) store.push(encodeTransition(transition(n), FEATURE_NAMES));
  made.start();
  const sent: [string, number][] = [];
  const worker = workerOf(made)!;
  const send = worker.send.bind(worker) as (message: unknown, done: () => void) => boolean;
  // The first page and `start` are on their way.
  worker.send = ((message: { kind: string; blob: Uint8Array }, done: () => void) => {
    sent.push([message.kind, decodeTransition(message.blob, FEATURE_NAMES).decisionId]);
    return send(message, done);
  }) as typeof worker.send;
  push(300, 303);
  await vi.waitFor(() => expect(sent.at(-1)?.[1]).toBe(302), DEADLINE);
  push(303, 304);
  const first = sent[0]![1];
  expect(first).toBeGreaterThan(100);
  expect(sent).toEqual(
    Array.from({ length: 304 - first }, (_, i) => [first + i < 300 ? 'old' : 'new', first + i]),
  );
  await vi.waitFor(() => expect(made.status().replaySize).toBe(200), DEADLINE);
});

describe('asleep', () => {
  it('publishes what it has, ends its process, and goes on exactly where it was', async () => {
    const config = { ...CONFIG, publishEverySteps: 1000, seed: 3 };
    const napping = startLearner({ config, sleepAfterMs: 100 });
    napping.push(0, 15);
    napping.push(15, 22);
    const { pid } = workerOf(napping.made)!;
    await asleep(napping.made);
    // The one that made the memory large enough pays too: 7 × 4.
    expect(napping.published.map(({ trainSteps }) => trainSteps)).toEqual([28]);
    expect(napping.made.status()).toMatchObject({
      trainSteps: 28,
      replaySize: 22,
      restarts: 0,
      trouble: null,
    });
    expect(workerOf(napping.made)).toBeNull();
    await vi.waitFor(() => expect(runs(pid!)).toBe(false), DEADLINE);

    napping.push(22, 23);
    expect(napping.made.status().state).toBe('starting');
    await asleep(napping.made);
    napping.push(23, 24);
    await asleep(napping.made);
    expect(napping.published.map(({ trainSteps }) => trainSteps)).toEqual([28, 32, 36]);
    expect(napping.made.status()).toMatchObject({ replaySize: 24, restarts: 0 });

    // The same in one go: first the 22, and once these are learned from, one and one more.
    const awake = startLearner({ config: { ...config, publishEverySteps: 4 } });
    try {
      awake.push(0, 22);
      for (const [next, steps] of [
        [22, 28],
        [23, 32],
        [24, 36],
      ] as const) {
        await vi.waitFor(() => expect(awake.published.at(-1)?.trainSteps).toBe(steps), DEADLINE);
        if (next < 24) awake.push(next, next + 1);
      }
      const [one, other] = [napping, awake].map(({ published }) =>
        tensorsOf(decodeWeights(published.at(-1)!.blob, FEATURE_NAMES)),
      );
      // TensorFlow.js restores β^n as a power, but runs it as a product: equal up to rounding.
      for (const [t, tensor] of one!.entries()) {
        for (const [i, value] of tensor.entries()) expect(other![t]![i]).toBeCloseTo(value, 6);
      }
      // And the steps were large enough to see the difference.
      const [start, end] = [napping.published[0]!, napping.published.at(-1)!].map(({ blob }) =>
        tensorsOf(decodeWeights(blob, FEATURE_NAMES)),
      );
      expect(
        Math.max(...start!.flatMap((tensor, t) => [...tensor].map((v, i) => Math.abs(v - end![t]![i]!)))),
      ).toBeGreaterThan(1e-4);
    } finally {
      await awake.made.stop();
    }
  });

  it('stays awake for a transition that came while it fell asleep, and learns from it once', async () => {
    const { made, push, published, seen } = startLearner({ sleepAfterMs: 50 });
    push(0, 20);
    // A transition between the worker's offer and its being heard.
    const receive = made as unknown as { receive(worker: unknown, message: { kind: string }): void };
    const hear = receive.receive.bind(made);
    let late = 20;
    receive.receive = (worker, message) => {
      if (message.kind === 'sleepy' && late < 23) {
        push(late, late + 1);
        late++;
        expect(made.status().state).toBe('learning');
      }
      hear(worker, message);
    };
    await asleep(made);
    expect(late).toBe(23);
    // 15 to 22 paid.
    expect(published.at(-1)!.trainSteps).toBe(32);
    expect(made.status()).toMatchObject({ trainSteps: 32, replaySize: 23, restarts: 0 });
    expect(seen.filter(({ state }) => state === 'starting').length).toBe(1);
  });

  it('takes with it the steps that it could not take yet', async () => {
    const { made, push, published } = startLearner({ sleepAfterMs: 50 });
    made.start();
    push(0, 3);
    await asleep(made);
    expect(made.status()).toMatchObject({ trainSteps: 0, replaySize: 3 });
    push(3, 16);
    await asleep(made);
    expect(made.status()).toMatchObject({ trainSteps: 60, replaySize: 16 });
    expect(published.at(-1)!.trainSteps).toBe(60);
  });

  it('does not publish weights that fail the check', async () => {
    const weights = launchingWeights();
    weights.advantage[0] = -1;
    const { made, push, published } = startLearner({
      weights,
      config: { ...CONFIG, publishEverySteps: 1000 },
      sleepAfterMs: 50,
    });
    push(0, 20);
    await asleep(made);
    expect(made.status().trouble).toMatch(/set back.*let a job wait/);
    expect(published).toEqual([]);
  });

  it.each(['asleep', 'falling asleep', 'waking'])('stops cleanly while %s', async (when) => {
    const { made, push, seen } = startLearner({ sleepAfterMs: 50 });
    push(0, 20);
    const pids = [workerOf(made)!.pid!];
    if (when === 'falling asleep') {
      const post = made as unknown as { post(message: { kind: string }): Promise<void> };
      const send = post.post.bind(made);
      const asked = new Promise<void>((resolve) => {
        post.post = (message) => {
          if (message.kind === 'sleep') resolve();
          return send(message);
        };
      });
      await asked;
    } else {
      await asleep(made);
      if (when === 'waking') {
        push(20, 21);
        pids.push(workerOf(made)!.pid!);
      }
    }
    await made.stop();
    expect(made.status().state).toBe('stopped');
    expect(workerOf(made)).toBeNull();
    expect(pids.filter(runs)).toEqual([]);
    const told = seen.length;
    push(21, 25);
    expect(seen.length).toBe(told);
  });

  it('is replaced as ever when it dies on waking', async () => {
    const { made, push, store } = startLearner({ sleepAfterMs: 500 });
    push(0, 20);
    await asleep(made);
    push(20, 21);
    workerOf(made)!.kill('SIGKILL');
    await vi.waitFor(() => expect(made.status().restarts).toBe(1), DEADLINE);
    await asleep(made);
    expect(made.status()).toMatchObject({ restarts: 1, replaySize: store.length });
  });
});

it('ends its process with the one that started it', async () => {
  const host = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', HOST],
    { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(host.stdout.setEncoding('utf8'), 'data')) as [string];
  const pid = Number(line);
  expect(runs(pid)).toBe(true);
  host.kill('SIGKILL');
  await vi.waitFor(() => expect(runs(pid)).toBe(false), DEADLINE);
});

const HOST = `
  const { Learner } = await import('../../src/learning/learner.ts');
  const { loadShippedPolicy } = await import('../../src/learning/shippedPolicy.ts');
  const { weights } = await loadShippedPolicy('../../resources/policy/second-wind.json');
  const learner = new Learner({ weights, storedTransitions: 0, refill: () => [], onWeights() {} });
  learner.start();
  setInterval(() => {
    if (learner.status().state === 'learning') console.log(learner.worker.pid);
  }, 50);
`;
