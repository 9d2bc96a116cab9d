import { join } from 'node:path';
import { DEFAULT_GOALS } from '../../src/domain/reward.ts';
import { randomInt, seededRng } from '../../src/domain/rng.ts';
import { loadShippedPolicy } from '../../src/learning/shippedPolicy.ts';
import { decide } from '../../src/scheduler/decide.ts';
import { createDqnPolicy } from '../../src/scheduler/policies/dqn.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { DEFAULT_LIMITS, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { ROOT } from '../lib/run.ts';
import { type Figure, quantile } from './measure.ts';

const NOW_MS = 1e12;
/** Rounds before it counts: the compiler has then seen the code. */
const WARM_UP = 2;

/** Jobs of all kinds wait for 8 devices, half of which are partly taken by jobs that share. */
function snapshot(seed: number, waitingJobs: number): Snapshot {
  const rng = seededRng(seed);
  const job = (id: number, gpus: number) => ({
    id,
    gpus,
    minGpus: gpus,
    maxGpus: gpus,
    vramMib: rng.next() < 0.2 ? null : 1024 * (1 + randomInt(rng, 12)),
    exclusive: rng.next() < 0.1,
    priority: randomInt(rng, 5),
    rank: id,
    user: `user${randomInt(rng, 3)}`,
    submittedAtMs: NOW_MS - 1000 * randomInt(rng, 7200),
    gpuUtil: null,
    restartable: false,
    preemptions: 0,
    attainedGpuS: 0,
    remaining: rng.next() < 0.3 ? null : { p10S: 100, p50S: 100 + randomInt(rng, 5000), p90S: 9000 },
  });
  return {
    nowMs: NOW_MS,
    devices: Array.from({ length: 8 }, (_, index) => ({
      id: `gpu${index}`,
      index,
      memoryTotalMib: 24 * 1024,
      foreignMib: 200 * randomInt(rng, 4),
      usable: true,
      ownerPresent: false,
      utilisation: 0.5,
      temperatureC: 60,
      powerW: 200,
    })),
    waiting: Array.from({ length: waitingJobs }, (_, i) => {
      const waiting = job(100 + i, [1, 1, 1, 2, 4][randomInt(rng, 5)]!);
      return { ...waiting, waitingSinceMs: waiting.submittedAtMs, urgentSinceMs: null, moved: false };
    }),
    running: Array.from({ length: 4 }, (_, i) => ({
      ...job(1 + i, 1),
      vramMib: 1024 * (2 + 2 * i),
      exclusive: false,
      deviceIds: [`gpu${i}`],
      startedAtMs: NOW_MS - 600_000,
      changedAtMs: NOW_MS - 600_000,
      pausedBy: null,
      progress: 0.4,
    })),
    cpuSlots: 4,
    goals: DEFAULT_GOALS,
    serviceByUser: { user0: 1000, user1: 3000 },
  };
}

/** Waiting jobs, and what is promised of the slowest hundredth of decisions, ms. */
const QUEUES = [
  [200, 20],
  [500, 10],
] as const;

/** One decision with many waiting jobs on 8 devices, the network's forward pass included. */
export async function decisionTime(repetitions: number): Promise<Figure[]> {
  const { weights, name } = await loadShippedPolicy(join(ROOT, 'resources', 'policy', 'second-wind.json'));
  const policy = createDqnPolicy({ weights, version: name });
  return QUEUES.flatMap(([waitingJobs, limit]) => timesWith(policy, waitingJobs, limit, repetitions));
}

function timesWith(policy: Policy, waitingJobs: number, limit: number, repetitions: number): Figure[] {
  const heuristic = heuristicByName('priority');
  const rng = seededRng(1);
  const p50: number[] = [];
  const p99: number[] = [];
  let candidates = 0;
  for (let repetition = 0; repetition < WARM_UP + repetitions; repetition++) {
    const times: number[] = [];
    for (let i = 0; i < 400; i++) {
      const input = { snapshot: snapshot(i, waitingJobs), policy, heuristic, rng, limits: DEFAULT_LIMITS };
      const atMs = performance.now();
      candidates = Math.max(candidates, decide(input).allowed.length);
      times.push(performance.now() - atMs);
    }
    if (repetition < WARM_UP) continue;
    p50.push(quantile(times, 0.5));
    p99.push(quantile(times, 0.99));
  }
  const how = `400 decisions under dqn, up to ${candidates} allowed candidates each`;
  const what = `one decision, ${waitingJobs} jobs on 8 devices`;
  return [
    { what: `${what}, p50`, unit: 'ms', values: p50, target: null, how },
    { what: `${what}, p99`, unit: 'ms', values: p99, target: { limit, better: 'less' }, how },
  ];
}
