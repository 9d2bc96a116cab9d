import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { firstFit } from '../../src/scheduler/policies/firstFit.ts';
import { srtf } from '../../src/scheduler/policies/remainingTime.ts';
import type { Policy, PolicyChoice } from '../../src/scheduler/policy.ts';
import { DEFAULT_LIMITS, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { simulate } from '../../src/simulator/machine.ts';
import { drawnW } from '../../src/simulator/power.ts';
import type { JobOutcome, SimulatedJob, SimulatedWorld, Span } from '../../src/simulator/world.ts';

const FREE = { ...DEFAULT_LIMITS, starvationAgeS: 1e9, minSpellS: 0, memoryMarginMib: 0 };

const job = (id: number, over: Partial<SimulatedJob> = {}): SimulatedJob => ({
  id,
  submittedAtS: 0,
  durationS: 100,
  predicted: null,
  gpus: 1,
  vramMib: 400,
  exclusive: false,
  priority: 0,
  user: 'ada',
  ...over,
});

function run(world: Partial<SimulatedWorld> & { jobs: SimulatedJob[] }, policy: Policy = firstFit) {
  const spans: Span[] = [];
  const outcomes = simulate(
    { devicesMib: [1000], limits: FREE, ...world },
    { policy, heuristic: policy, rng: seededRng(1), onSpan: (span) => spans.push(span) },
  );
  return { byId: new Map(outcomes.map((o): [number, JobOutcome] => [o.job.id, o])), spans };
}

/** Takes the first candidate of the kind that it is told for the instant, else launches what it can, else waits. */
function scripted(kinds: Record<number, 'preempt' | 'pause' | 'resume'>, reviewS: number): Policy {
  const answer = (index: number): PolicyChoice => ({
    index,
    scores: null,
    epsilon: null,
    explored: false,
    features: null,
  });
  return {
    name: 'scripted',
    version: '1',
    preempts: true,
    reviewAfterS: ({ nowMs }: Snapshot) => reviewS - ((nowMs / 1000) % reviewS),
    choose({ snapshot, candidates }) {
      const wanted = kinds[snapshot.nowMs / 1000];
      const at = candidates.findIndex(({ kind }) => kind === wanted);
      if (at >= 0) return answer(at);
      const launch = candidates.findIndex(({ kind }) => kind === 'launch');
      return answer(launch >= 0 ? launch : candidates.length - 1);
    },
  };
}

describe('starts', () => {
  it('cost their time before any work is done', () => {
    const { byId } = run({ jobs: [job(1), job(2, { exclusive: true })], startS: 20 });
    expect([byId.get(1)!.finishedAtS, byId.get(2)!.startedAtS, byId.get(2)!.finishedAtS]).toEqual([
      120, 120, 240,
    ]);
  });
});

describe('preemption', () => {
  const long = job(1, {
    durationS: 1000,
    exclusive: true,
    restartable: true,
    checkpointEveryS: 300,
    restartS: 60,
  });
  const short = job(2, { submittedAtS: 400, durationS: 50, exclusive: true });

  it('loses the work since the last checkpoint, and costs the restart', () => {
    const { byId, spans } = run({ jobs: [long, short] }, srtf);
    // Stopped at 400 with 300 saved; again from 450: 60 to load, 700 to do.
    expect(byId.get(1)).toMatchObject({
      startedAtS: 0,
      finishedAtS: 450 + 60 + 700,
      preemptions: 1,
      lostS: 100,
      attainedGpuS: 400 + 60 + 700,
    });
    expect(byId.get(2)!.finishedAtS).toBe(450);
    expect(spans).toEqual([
      { jobId: 1, devices: [0], fromS: 0, toS: 400, computes: true },
      { jobId: 2, devices: [0], fromS: 400, toS: 450, computes: true },
      { jobId: 1, devices: [0], fromS: 450, toS: 1210, computes: true },
    ]);
  });

  it('is only of jobs that can go on from a checkpoint', () => {
    const { byId } = run({ jobs: [{ ...long, restartable: false }, short] }, srtf);
    expect([byId.get(1)!.preemptions, byId.get(2)!.startedAtS]).toEqual([0, 1000]);
  });

  it('is not sooner after a start, nor more often, than the limits say', () => {
    const soon = run({ jobs: [long, short], limits: { ...FREE, minSpellS: 500 } }, srtf);
    // It is asked again when the limit allows it, though nothing else happens then.
    expect(soon.byId.get(1)!.preemptions).toBe(1);
    expect(soon.byId.get(2)!.startedAtS).toBe(500);
    const shorts = [1, 2, 3].map((i) => ({ ...short, id: 1 + i, submittedAtS: 200 * i }));
    const often = run({ jobs: [long, ...shorts], limits: { ...FREE, maxPreemptions: 2 } }, srtf);
    expect(often.byId.get(1)!.preemptions).toBe(2);
  });
});

describe('pausing', () => {
  const limits = { ...FREE, mayPause: true };

  it('frees the time and keeps the memory', () => {
    const jobs = [
      job(1),
      job(2, { submittedAtS: 10, exclusive: true, durationS: 30 }),
      job(3, { submittedAtS: 10, vramMib: 700 }),
    ];
    const policy = scripted({ 10: 'pause', 40: 'resume' }, 10);
    const { byId, spans } = run({ jobs, limits }, policy);
    expect(byId.get(2)).toMatchObject({ startedAtS: 10, finishedAtS: 40 });
    expect(byId.get(1)).toMatchObject({ finishedAtS: 130, pauses: 1, attainedGpuS: 100 });
    // Beside 400 MiB that are held there is no room for 700.
    expect(byId.get(3)!.startedAtS).toBe(130);
    expect(spans.filter(({ jobId }) => jobId === 1)).toEqual([
      { jobId: 1, devices: [0], fromS: 0, toS: 10, computes: true },
      { jobId: 1, devices: [0], fromS: 10, toS: 40, computes: false },
      { jobId: 1, devices: [0], fromS: 40, toS: 130, computes: true },
    ]);
  });

  it('is not offered unless the owner allows it', () => {
    const jobs = [job(1), job(2, { submittedAtS: 10, exclusive: true })];
    expect(run({ jobs }, scripted({ 10: 'pause' }, 10)).byId.get(1)!.pauses).toBe(0);
  });

  it('for ever is an error that names who is left', () => {
    const jobs = [job(1), job(2, { submittedAtS: 10, exclusive: true })];
    const policy = { ...scripted({ 10: 'pause' }, 10), reviewAfterS: () => 1e9 };
    policy.choose = ({ candidates }) => {
      const pause = candidates.findIndex(({ kind }) => kind === 'pause');
      const launch = candidates.findIndex(({ kind }) => kind === 'launch');
      const index = launch >= 0 ? launch : pause >= 0 ? pause : candidates.length - 1;
      return { index, scores: null, epsilon: null, explored: false, features: null };
    };
    expect(() => run({ jobs, limits }, policy)).toThrow(/jobs .*never go on/);
  });
});

describe('memory', () => {
  it('that grows past the device kills the one that grew, which then asks for what it needs', () => {
    const modest = job(1, { vramMib: 600, durationS: 400 });
    const liar = job(2, { vramMib: 300, peakMib: 500, submittedAtS: 10, durationS: 300 });
    const { byId } = run({ jobs: [modest, liar], growth: { share: 0.5, untilS: 50 }, speedBeside: () => 1 });
    // 600 + 500 at 60 s; alone from 400 on, all of its work once more.
    expect(byId.get(2)).toMatchObject({ oomDeaths: 1, lostS: 50, finishedAtS: 700 });
    expect(byId.get(1)).toMatchObject({ oomDeaths: 0, finishedAtS: 400 });
  });

  it('that is there at first is not missed', () => {
    const { byId } = run({
      jobs: [job(1), job(2)],
      growth: { share: 0.5, untilS: 50 },
      speedBeside: () => 1,
    });
    expect([byId.get(1)!.oomDeaths, byId.get(2)!.oomDeaths]).toEqual([0, 0]);
  });
});

describe('crashes', () => {
  const jobs = Array.from({ length: 200 }, (_, i) =>
    job(i + 1, { submittedAtS: 1e6 * i, durationS: 43_200 }),
  );

  it('come as often as the rate says, at most twice to one job, and cost all that was done', () => {
    const { byId } = run({ jobs, failuresPerGpuDay: 1 });
    const failures = [...byId.values()].reduce((sum, o) => sum + o.failures, 0);
    // Half a day each: e^−0.5 get through; first and second crashes are expected 0.39 + 0.39² times.
    expect(failures / 200).toBeGreaterThan(0.4);
    expect(failures / 200).toBeLessThan(0.7);
    for (const {
      failures: count,
      lostS,
      finishedAtS,
      startedAtS,
      job: { durationS },
    } of byId.values()) {
      expect(count).toBeLessThanOrEqual(2);
      expect(lostS > 0).toBe(count > 0);
      expect(finishedAtS - startedAtS).toBeCloseTo(durationS + lostS, 6);
    }
  });

  it('hit the same job after the same time under every policy, and others with another seed', () => {
    const of = (policy: Policy, seed: number): number[] =>
      [...run({ jobs, failuresPerGpuDay: 1, seed }, policy).byId.values()].map(({ lostS }) => lostS);
    expect(of(srtf, 1)).toEqual(of(firstFit, 1));
    expect(of(firstFit, 2)).not.toEqual(of(firstFit, 1));
  });
});

describe('the owner at the screen', () => {
  const owner = { device: 0, fromH: 9, toH: 19, foreignMib: 300, speed: 0.5 };

  it('slows what runs there, and nothing new starts there until the evening', () => {
    const jobs = [job(1, { durationS: 7200 }), job(2, { submittedAtS: 7200, durationS: 60 })];
    const { byId } = run({ jobs, owner, startsAtH: 8 });
    // An hour of work until nine; the other takes two.
    expect(byId.get(1)!.finishedAtS).toBe(3 * 3600);
    expect(byId.get(2)!.startedAtS).toBe(11 * 3600);
  });

  it('leaves the other devices alone', () => {
    const jobs = [job(1, { submittedAtS: 7200 })];
    const { byId, spans } = run({ jobs, owner, startsAtH: 8, devicesMib: [1000, 1000] });
    expect([byId.get(1)!.startedAtS, spans[0]!.devices]).toEqual([7200, [1]]);
  });

  it('takes memory from those who share with the desktop: the last to come dies', () => {
    const jobs = [job(1, { durationS: 7200 }), job(2, { durationS: 7200, submittedAtS: 60 })];
    const { byId } = run({ jobs, owner, startsAtH: 8, speedBeside: () => 1 });
    expect([byId.get(1)!.oomDeaths, byId.get(2)!.oomDeaths]).toEqual([0, 1]);
  });
});

describe('elastic jobs', () => {
  it('start smaller where that is all there is, and run as much longer', () => {
    const wide = job(2, { gpus: 2, minGpus: 1, maxGpus: 2, exclusive: true });
    const { byId } = run({
      jobs: [job(1, { exclusive: true }), wide],
      devicesMib: [1000, 1000],
      scalingExponent: 0.5,
    });
    // Half of the devices: 1/√2 of the speed.
    expect(byId.get(2)!.startedAtS).toBe(0);
    expect(byId.get(2)!.finishedAtS).toBeCloseTo(100 * Math.SQRT2, 6);
  });
});

describe('energy', () => {
  it('is what devices draw above idling, by their use, and in equal parts of those who compute there', () => {
    const full = run({ jobs: [job(1), job(2, { gpuUtil: 0.5, submittedAtS: 1000 })] }).byId;
    expect(full.get(1)!.energyJ).toBeCloseTo(100 * drawnW(1), 6);
    expect(full.get(2)!.energyJ).toBeCloseTo(100 * drawnW(0.5), 6);
    // Beside each other both run at half speed, and use half of what they would alone.
    const beside = run({
      jobs: [job(1, { gpuUtil: 0.5 }), job(2, { gpuUtil: 0.5 })],
      speedBeside: () => 0.5,
    });
    for (const id of [1, 2]) expect(beside.byId.get(id)!.energyJ).toBeCloseTo((200 * drawnW(0.5)) / 2, 6);
    // Nobody alone would be as thrifty as two who are in no other's way.
    expect(2 * drawnW(0.5)).toBeGreaterThan(drawnW(1));
    expect(drawnW(3)).toBe(drawnW(1));
    expect(drawnW(null)).toBe(0);
  });

  it('is not drawn by who stands still', () => {
    // The other finds no room beside the memory of the first, so that somebody waits and the policy is asked again.
    const { byId } = run(
      { jobs: [job(1), job(2, { vramMib: 700 })], limits: { ...FREE, mayPause: true } },
      scripted({ 50: 'pause', 100: 'resume' }, 50),
    );
    expect(byId.get(1)).toMatchObject({ pauses: 1, finishedAtS: 150 });
    expect(byId.get(1)!.energyJ).toBeCloseTo(100 * drawnW(1), 6);
  });
});
