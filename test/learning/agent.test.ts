import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_GOALS } from '../../src/domain/reward.ts';
import { type Rng, seededRng } from '../../src/domain/rng.ts';
import { Agent, type AgentConfig, LIVE_AGENT } from '../../src/learning/agent.ts';
import { startBackend } from '../../src/learning/backend.ts';
import { Recorder } from '../../src/learning/recorder.ts';
import { seenStep } from '../../src/learning/seenStep.ts';
import type { Transition } from '../../src/learning/transition.ts';
import { FEATURE_COUNT } from '../../src/scheduler/features.ts';
import { initialWeights, tensorsOf, WeightsError } from '../../src/scheduler/network.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../../src/scheduler/policies/dqn.ts';
import { fifo } from '../../src/scheduler/policies/fifo.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { simulate } from '../../src/simulator/machine.ts';
import type { SimulatedWorld } from '../../src/simulator/world.ts';

const CONFIG: AgentConfig = {
  ...LIVE_AGENT,
  batchSize: 8,
  minReplay: 8,
  replayCapacity: 20,
  learningRate: 1e-2,
};
const WIDTH = 4;

function randomTransition(rng: Rng, reward = -rng.next()): Transition {
  const rows = (count: number) => ({
    features: Float32Array.from({ length: count * WIDTH }, () => rng.next()),
    rows: count,
  });
  return {
    decisionId: 1,
    episodeId: null,
    atMs: 0,
    state: rows(3),
    chosen: 1,
    reward: { completion: reward, utilisation: 0, fairness: 0 },
    discount: 0.9,
    next: rng.next() < 0.5 ? null : rows(2),
    goals: DEFAULT_GOALS,
  };
}

function filledAgent(config = CONFIG): Agent {
  const agent = new Agent(initialWeights(seededRng(1), WIDTH, [8]), config);
  const rng = seededRng(2);
  for (let i = 0; i < 30; i++) agent.remember(randomTransition(rng), i % 2 === 0);
  return agent;
}

beforeAll(async () => {
  await startBackend();
});

describe('Agent', () => {
  it('goes on exactly where it was after its state was saved and restored', async () => {
    const one = filledAgent();
    for (let i = 0; i < 15; i++) one.train(0.1);
    const state = await one.save();
    const other = new Agent(initialWeights(seededRng(77), WIDTH, [8]), CONFIG);
    await other.restore(state);
    expect(other.trainSteps).toBe(15);
    expect(other.replaySize).toBe(20);
    // TensorFlow.js restores β^n as a power, but runs it as a product: equal up to rounding.
    for (let i = 0; i < 10; i++) expect(other.train(0.1)).toBeCloseTo(one.train(0.1), 5);
    const [tensors, others] = [tensorsOf(one.weights()), tensorsOf(other.weights())];
    for (const [t, tensor] of tensors.entries()) {
      for (const [i, value] of tensor.entries()) expect(others[t]![i]).toBeCloseTo(value, 4);
    }
    one.dispose();
    other.dispose();
  });

  it('is ready once it has seen enough', () => {
    const agent = new Agent(initialWeights(seededRng(1), WIDTH, [8]), CONFIG);
    const rng = seededRng(3);
    for (let i = 0; i < 7; i++) agent.remember(randomTransition(rng));
    expect(agent.ready).toBe(false);
    agent.remember(randomTransition(rng));
    expect(agent.ready).toBe(true);
    agent.dispose();
  });

  it.each([
    ['no longer finite', 1e38, Number.NaN],
    ['exceeded the bound', 30, -1e6],
  ])('sets a network that diverged (%s) back to the last good one', (says, learningRate, reward) => {
    const agent = filledAgent({ ...CONFIG, learningRate, maxGradientNorm: 1e9 });
    expect(agent.check()).toBeNull();
    const good = agent.weights();
    const rng = seededRng(5);
    for (let i = 0; i < 20; i++) agent.remember(randomTransition(rng, reward));
    for (let i = 0; i < 20; i++) agent.train();
    expect(agent.weights()).not.toEqual(good);
    expect(agent.check()).toContain(says);
    expect(agent.weights()).toEqual(good);
    agent.dispose();
  });

  it('is set back as well when whoever inspects it complains', () => {
    const agent = filledAgent();
    const good = agent.weights();
    for (let i = 0; i < 5; i++) agent.train();
    const complain = (): void => {
      throw new WeightsError('look odd', 'keep the old ones');
    };
    expect(agent.check(complain)).toContain('look odd');
    expect(agent.weights()).toEqual(good);
    agent.dispose();
  });

  it('learns from scratch that short jobs go first', () => {
    const rng = seededRng(1);
    const agent = new Agent(initialWeights(rng, FEATURE_COUNT, [32]), {
      ...LIVE_AGENT,
      learningRate: 5e-4,
      polyakTau: 0.01,
      minReplay: 100,
    });
    const greedy = (): Policy =>
      createDqnPolicy({ weights: agent.weights(), version: 'toy', exploration: NO_EXPLORATION });
    const untrained = meanJctS(greedy());
    const policy = createDqnPolicy({
      weights: agent.weights(),
      version: 'toy',
      exploration: { start: 1, end: 0.1, overDecisions: 400, triesWait: false },
    });
    let decisionId = 0;
    while (agent.trainSteps < 900) {
      const recorder = new Recorder({
        rng,
        onTransition(transition) {
          agent.remember(transition);
          if (!agent.ready) return;
          agent.train();
          policy.setWeights(agent.weights(), 'toy');
        },
      });
      simulate(toyDay(rng), {
        policy,
        heuristic: fifo,
        rng,
        observer: {
          advance: (load, nowMs) => recorder.advance(load, nowMs),
          decided(step, snapshot) {
            const seen = seenStep(step, snapshot, ++decisionId, null);
            if (seen !== null) recorder.decided(seen);
          },
          idle: () => recorder.idle(),
        },
      });
    }
    const best = meanJctS(byDuration(1));
    const worst = meanJctS(byDuration(-1));
    const learned = meanJctS(greedy());
    expect(worst).toBeGreaterThan(1.5 * best);
    expect(untrained).toBeGreaterThan(best + 0.2 * (worst - best));
    expect(learned).toBeLessThan(best + 0.1 * (worst - best));
    agent.dispose();
  });
});

/** Six jobs at once on one device, each a minute or twenty. */
function toyDay(rng: Rng): SimulatedWorld {
  const jobs = Array.from({ length: 6 }, (_, i) => {
    const durationS = rng.next() < 0.5 ? 60 : 1200;
    return {
      id: i + 1,
      submittedAtS: 0,
      durationS,
      predicted: { p10S: durationS, p50S: durationS, p90S: durationS },
      gpus: 1,
      vramMib: null,
      exclusive: false,
      priority: 0,
      user: 'somebody',
    };
  });
  return { devicesMib: [1024], jobs };
}

/** Over ten days that training never sees. */
function meanJctS(policy: Policy): number {
  const days = Array.from({ length: 10 }, (_, n) => toyDay(seededRng(1000 + n)));
  const all = days.flatMap((day) => simulate(day, { policy, heuristic: fifo, rng: seededRng(1) }));
  return all.reduce((sum, { finishedAtS }) => sum + finishedAtS, 0) / all.length;
}

/** The shortest first (1) or the longest first (−1). */
function byDuration(sign: 1 | -1): Policy {
  return {
    name: 'by-duration',
    version: '1',
    choose({ snapshot, candidates }) {
      const durations = new Map(snapshot.waiting.map((job) => [job.id, job.remaining!.p50S]));
      const keys = candidates.map((c) =>
        c.kind === 'launch' ? sign * durations.get(c.jobId)! : Number.POSITIVE_INFINITY,
      );
      const index = keys.indexOf(Math.min(...keys));
      return { index, scores: null, epsilon: null, explored: false, features: null };
    },
  };
}
