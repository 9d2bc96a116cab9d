import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BANDITS } from '../../src/domain/policyNames.ts';
import { type Rng, randomInt, randomNormal, seededRng } from '../../src/domain/rng.ts';
import { LAB_POLICY_NAMES, labPolicy } from '../../src/scheduler/policies/heuristics.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import type { ShieldLimits } from '../../src/scheduler/snapshot.ts';
import { simulate } from '../../src/simulator/machine.ts';
import { plainPolicy } from '../../src/simulator/plain/policies.ts';
import { simulatePlain } from '../../src/simulator/plain/simulatePlain.ts';
import { spreadAround } from '../../src/simulator/spread.ts';
import type { JobOutcome, SimulatedJob, SimulatedWorld, Span } from '../../src/simulator/world.ts';
import { plainTrace, type ShortJob } from './plainTraces.ts';

const TRACE = join(import.meta.dirname, '..', '..', '..', 'shared', 'traces', 'philly-0e4a51.csv');
const needs = existsSync(TRACE) ? '' : ' (skipped: needs ../shared/traces/philly-0e4a51.csv)';

/** Nothing but the policy decides. */
const FREE: ShieldLimits = {
  starvationAgeS: Number.POSITIVE_INFINITY,
  memoryMarginMib: 0,
  maxPreemptions: Number.POSITIVE_INFINITY,
  minSpellS: 0,
  mayPause: false,
  mostPerDevice: 4,
};

/** They may leave a device idle that somebody waits for: `teacher` where sharing costs too much, a bandit while it follows `pack`. */
const NOT_CONSERVING = ['fifo', 'easy', 'pack', 'teacher', ...Object.keys(BANDITS)];

function job(id: number, [submittedAtS, durationS, gpus]: ShortJob): SimulatedJob {
  return {
    id,
    submittedAtS,
    durationS,
    gpus,
    predicted: null,
    vramMib: null,
    exclusive: true,
    priority: 0,
    user: 'ada',
    restartable: true,
  };
}

const plainWorld = (jobs: readonly ShortJob[], gpus: number): SimulatedWorld => ({
  devicesMib: Array.from({ length: gpus }, () => 1024),
  jobs: jobs.map((short, i) => job(i + 1, short)),
  limits: FREE,
});

interface Run {
  readonly outcomes: readonly JobOutcome[];
  readonly spans: readonly Span[];
  /** Times at which it waited though something could start. */
  readonly idled: number;
}

/** Runs a world under a policy that must not fail once. */
function run(name: string, world: SimulatedWorld, seed = 1): Run {
  const policy = labPolicy(name);
  const spans: Span[] = [];
  let idled = 0;
  const outcomes = simulate(world, {
    policy,
    heuristic: policy,
    rng: seededRng(seed),
    onSpan: (span) => spans.push(span),
    observer: {
      advance: () => undefined,
      idle: () => undefined,
      decided(step) {
        expect(step.fallback).toBeNull();
        if (step.chosen.kind === 'wait' && step.allowedActions[0]?.kind === 'launch') idled++;
      },
    },
  });
  return { outcomes, spans, idled };
}

const meanJctS = (outcomes: readonly JobOutcome[]): number =>
  outcomes.reduce((sum, { finishedAtS, job: done }) => sum + finishedAtS - done.submittedAtS, 0) /
  outcomes.length;

/** All that may be on a machine: sharing, elastic and unstoppable jobs, predictions of some, crashes, an owner, pauses. */
function messyWorld(seed: number): SimulatedWorld {
  const rng = seededRng(seed);
  const devices = 1 + randomInt(rng, 4);
  const chance = (p: number): boolean => rng.next() < p;
  let submittedAtS = 0;
  const jobs = Array.from({ length: 5 + randomInt(rng, 20) }, (_, i): SimulatedJob => {
    submittedAtS += chance(0.3) ? 0 : Math.round(1500 * rng.next());
    const gpus = chance(0.7) ? 1 : randomInt(rng, devices + 1);
    const durationS = Math.round(Math.exp(6 + 1.5 * randomNormal(rng)));
    const elastic = gpus > 0 && chance(0.2);
    return {
      id: i + 1,
      submittedAtS,
      durationS,
      gpus,
      ...(elastic ? { minGpus: 1, maxGpus: devices } : {}),
      predicted: chance(0.6) ? spreadAround(durationS * Math.exp(0.7 * randomNormal(rng)), 0.7) : null,
      vramMib: chance(0.1) ? null : 500 + randomInt(rng, 11_000),
      exclusive: chance(0.2),
      priority: randomInt(rng, 3),
      user: ['ada', 'ben', 'cho'][randomInt(rng, 3)]!,
      gpuUtil: chance(0.7) ? rng.next() : null,
      restartable: chance(0.6),
      checkpointEveryS: chance(0.5) ? 300 : 0,
      restartS: 30,
    };
  });
  return {
    devicesMib: Array.from({ length: devices }, () => 12_288),
    jobs,
    limits: {
      starvationAgeS: chance(0.5) ? 6 * 3600 : Number.POSITIVE_INFINITY,
      memoryMarginMib: 256,
      maxPreemptions: 5,
      minSpellS: chance(0.5) ? 300 : 0,
      mayPause: chance(0.5),
      mostPerDevice: 3,
    },
    startS: 5,
    scalingExponent: 0.8,
    failuresPerGpuDay: 0.5,
    seed,
    ...(chance(0.4)
      ? { owner: { device: 0, fromH: 9, toH: 10, foreignMib: 2048, speed: 0.5 }, startsAtH: 8 }
      : {}),
    history: chance(0.5) ? [] : Array.from({ length: 40 }, () => 5000 * rng.next()).sort((a, b) => a - b),
  };
}

/** On each device at the start of each span: memory and whoever wants to be alone. */
function checkRoom({ devicesMib, jobs, limits }: SimulatedWorld, spans: readonly Span[]): void {
  const byId = new Map(jobs.map((known) => [known.id, known]));
  for (const { fromS, devices } of spans) {
    for (const index of devices) {
      const there = spans.filter(
        (other) => other.fromS <= fromS && fromS < other.toS && other.devices.includes(index),
      );
      const sumMib = there.reduce((sum, { jobId }) => sum + (byId.get(jobId)!.vramMib ?? 0), 0);
      expect(sumMib).toBeLessThanOrEqual(devicesMib[index]!);
      const computing = there.filter(({ computes }) => computes).map(({ jobId }) => byId.get(jobId)!);
      expect(computing.length).toBeLessThanOrEqual(limits?.mostPerDevice ?? Number.POSITIVE_INFINITY);
      if (computing.some(({ exclusive, vramMib }) => exclusive || vramMib === null))
        expect(computing).toHaveLength(1);
    }
  }
}

describe.each(LAB_POLICY_NAMES.map((name) => ({ name })))('$name', ({ name }) => {
  it('ends every job of a messy day, over-commits no GPU, and does the same again', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const world = messyWorld(seed);
        const { outcomes, spans, idled } = run(name, world, seed);
        expect(outcomes.map((o) => o.job.id).sort((a, b) => a - b)).toEqual(world.jobs.map(({ id }) => id));
        checkRoom(world, spans);
        if (!NOT_CONSERVING.includes(name)) expect(idled).toBe(0);
        expect(run(name, world, seed).outcomes).toEqual(outcomes);
      }),
      { numRuns: 40 },
    );
  });

  it('gives every job on free GPUs just what it asks for', () => {
    fc.assert(
      fc.property(shortJobs(4), (jobs) => {
        const { outcomes } = run(name, plainWorld(jobs, 4));
        for (const { job: done, attainedGpuS, finishedAtS } of outcomes) {
          expect(attainedGpuS).toBeCloseTo(done.durationS * done.gpus, 2);
          expect(finishedAtS - done.submittedAtS).toBeGreaterThan(done.durationS - 1e-2);
        }
      }),
      { numRuns: 30 },
    );
  });
});

function shortJobs(gpus: number): fc.Arbitrary<ShortJob[]> {
  return fc
    .array(
      fc.tuple(
        fc.nat({ max: 2000 }),
        fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3000 })),
        fc.integer({ min: 1, max: gpus }),
      ),
      { minLength: 1, maxLength: 25 },
    )
    .map((jobs) => jobs.sort((a, b) => a[0] - b[0]));
}

describe('against plain mode', () => {
  const SAME = ['fifo', 'first-fit', 'sjf', 'srtf', 'srsf'];

  function compare(name: string, jobs: readonly ShortJob[], gpus: number): void {
    const plain = simulatePlain(plainTrace(jobs), gpus, plainPolicy(name));
    const { outcomes } = run(name, plainWorld(jobs, gpus));
    expect(outcomes).toHaveLength(jobs.length);
    for (const { job: done, finishedAtS, preemptions } of outcomes) {
      expect(Math.abs(finishedAtS - plain.finishS[done.id - 1]!)).toBeLessThan(1e-6 * (1 + finishedAtS));
      expect([done.id, preemptions]).toEqual([done.id, plain.preemptions[done.id - 1]]);
    }
  }

  it.each(SAME)('%s ends every job at the same time on random traces', (name) => {
    fc.assert(
      fc.property(shortJobs(4), fc.integer({ min: 4, max: 8 }), (jobs, gpus) => compare(name, jobs, gpus)),
      { numRuns: 100 },
    );
  });

  it.skipIf(needs !== '')(`the same for 600 jobs of a recorded trace on 8 GPUs${needs}`, () => {
    const [head, ...rows] = readFileSync(TRACE, 'utf8').trim().split(/\r?\n/).slice(0, 601);
    expect(head).toBe('job_id,submit_s,duration_s,gpus');
    const jobs = rows
      .map((row) => row.split(',').map(Number))
      .map(([_id, submitS, durationS, gpus]): ShortJob => [15.7 * submitS!, durationS!, gpus!])
      .filter(([, , gpus]) => gpus <= 8);
    for (const name of SAME) compare(name, jobs, 8);
  });
});

describe('on one GPU', () => {
  /** @param durationS draws one. */
  function day(seed: number, load: number, meanS: number, durationS: (rng: Rng) => number): ShortJob[] {
    const rng = seededRng(seed);
    let submitS = 0;
    return Array.from({ length: 150 }, (): ShortJob => {
      submitS += (-Math.log(1 - rng.next()) * meanS) / load;
      return [submitS, durationS(rng), 1];
    });
  }
  const seeds = Array.from({ length: 24 }, (_, i) => i + 1);
  const meanOver = (name: string, worldOf: (seed: number) => SimulatedWorld): number =>
    seeds.reduce((sum, seed) => sum + meanJctS(run(name, worldOf(seed)).outcomes), 0) / seeds.length;

  it('las, tiresias and gittins beat fifo where durations have a heavy tail', () => {
    // Log-normal with median 600 s and σ = 2: mean 600 e².
    const drawn = (rng: Rng): number => 600 * Math.exp(2 * randomNormal(rng));
    const past = seededRng(99);
    const history = Array.from({ length: 500 }, () => drawn(past)).sort((a, b) => a - b);
    const worldOf = (seed: number): SimulatedWorld => ({
      ...plainWorld(day(seed, 0.8, 600 * Math.exp(2), drawn), 1),
      history,
    });
    const fifo = meanOver('fifo', worldOf);
    for (const name of ['las', 'tiresias', 'gittins']) {
      expect([name, meanOver(name, worldOf) < 0.5 * fifo]).toEqual([name, true]);
    }
  });

  it('gittins beats las where it pays to let a long job end', () => {
    // Most take about 100 s, the others about 10,000 s: who has had 1000 s will go on for long, who has had 9000 s will not.
    const drawn = (rng: Rng): number => (rng.next() < 0.8 ? 90 + 20 * rng.next() : 9500 + 1000 * rng.next());
    const past = seededRng(99);
    const history = Array.from({ length: 2000 }, () => drawn(past)).sort((a, b) => a - b);
    const worldOf = (seed: number): SimulatedWorld => ({
      ...plainWorld(day(seed, 0.8, 0.8 * 100 + 0.2 * 10_000, drawn), 1),
      history,
    });
    expect(meanOver('gittins', worldOf)).toBeLessThan(0.9 * meanOver('las', worldOf));
  });

  it('las changes places at most once for each fifth of service', () => {
    // Two endless jobs: plain mode looks every 300 s.
    const jobs: ShortJob[] = [
      [0, 300_000, 1],
      [0, 300_000, 1],
    ];
    const plain = simulatePlain(plainTrace(jobs), 1, plainPolicy('las'));
    const { outcomes } = run('las', plainWorld(jobs, 1));
    const preemptions = outcomes.reduce((sum, outcome) => sum + outcome.preemptions, 0);
    expect(plain.preemptions[0]! + plain.preemptions[1]!).toBeGreaterThan(1500);
    expect(preemptions).toBeLessThan(150);
    expect(preemptions).toBeGreaterThan(10);
  });
});

it('a policy that looks again may start a job though nothing happens meanwhile', () => {
  const patient: Policy = {
    name: 'patient',
    version: '1',
    reviewAfterS: () => 10,
    choose({ snapshot, candidates }) {
      const index = snapshot.nowMs >= 500_000 ? 0 : candidates.length - 1;
      return { index, scores: null, epsilon: null, explored: false, features: null };
    },
  };
  const world = plainWorld([[0, 60, 1]], 1);
  const [outcome] = simulate(world, { policy: patient, heuristic: patient, rng: seededRng(1) });
  expect(outcome).toMatchObject({ startedAtS: 500, finishedAtS: 560 });
});
