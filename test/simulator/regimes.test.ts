import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import type { TraceJob } from '../../src/domain/trace.ts';
import { firstFit } from '../../src/scheduler/policies/firstFit.ts';
import { priority } from '../../src/scheduler/policies/priority.ts';
import { srsf, srtf } from '../../src/scheduler/policies/remainingTime.ts';
import { JOB_KINDS } from '../../src/simulator/interference.ts';
import { simulate } from '../../src/simulator/machine.ts';
import { REGIME_NAMES, REGIMES, type RegimeName, worldOf } from '../../src/simulator/regimes.ts';
import type { SimulatedWorld, Span } from '../../src/simulator/world.ts';

const POLICIES = [firstFit, priority, srtf, srsf];

const bare = { vramMib: null, gpuUtil: null, priority: null, user: null, name: null, estimateS: null };

/** Poisson arrivals of jobs of all sizes up to `gpus`, from seconds to days. */
function trace(count: number, gpus: number, seed: number, over: Partial<TraceJob> = {}): TraceJob[] {
  const rng = seededRng(seed);
  let submitS = 0;
  return Array.from({ length: count }, (_, i) => {
    submitS += -Math.log(1 - rng.next()) * 1800;
    const durationS = Math.round(10 ** (1 + 4 * rng.next()));
    return { ...bare, jobId: `j${i}`, submitS, durationS, gpus: 1 + Math.floor(rng.next() * gpus), ...over };
  });
}

function run(world: SimulatedWorld, policy = firstFit) {
  const spans: Span[] = [];
  const outcomes = simulate(world, {
    policy,
    heuristic: policy,
    rng: seededRng(7),
    onSpan: (span) => spans.push(span),
  });
  return { outcomes, spans };
}

/** Most that compute at once on any device, and whether one of them is there to be alone. */
function crowds(spans: readonly Span[], devices: number): number {
  let most = 0;
  for (let device = 0; device < devices; device++) {
    const there = spans.filter((span) => span.computes && span.devices.includes(device));
    const changes = there
      .flatMap(({ fromS, toS }) => [
        { atS: fromS, by: 1 },
        { atS: toS, by: -1 },
      ])
      .sort((a, b) => a.atS - b.atS || a.by - b.by);
    let now = 0;
    for (const { by } of changes) {
      now += by;
      most = Math.max(most, now);
    }
  }
  return most;
}

const worlds = fc.record({
  regime: fc.constantFrom(...REGIME_NAMES),
  gpus: fc.integer({ min: 1, max: 8 }),
  count: fc.integer({ min: 1, max: 40 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  share: fc.option(fc.boolean(), { nil: undefined }),
  policy: fc.constantFrom(...POLICIES),
});

describe('whatever the regime, the trace and the policy', () => {
  it('every job ends once, after its arrival, on as many devices as it may have, and no device is over-committed', () => {
    fc.assert(
      fc.property(worlds, ({ regime, gpus, count, seed, share, policy }) => {
        const options = { gpus, seed, ...(share === undefined ? {} : { share }) };
        const world = worldOf(regime, trace(count, gpus, seed), options);
        const { outcomes, spans } = run(world, policy);
        expect(outcomes.map(({ job }) => job.id).sort((a, b) => a - b)).toEqual(
          world.jobs.map(({ id }) => id),
        );
        const shares = share ?? REGIMES[regime].shares;
        expect(crowds(spans, gpus)).toBeLessThanOrEqual(shares ? 2 : 1);
        for (const { job, startedAtS, finishedAtS, attainedGpuS } of outcomes) {
          expect(startedAtS).toBeGreaterThanOrEqual(job.submittedAtS);
          const own = spans.filter(({ jobId, computes }) => jobId === job.id && computes);
          for (const { devices } of own) {
            expect(new Set(devices).size).toBe(devices.length);
            expect(devices.length).toBeGreaterThanOrEqual(job.minGpus ?? job.gpus);
            expect(devices.length).toBeLessThanOrEqual(job.maxGpus ?? job.gpus);
          }
          const service = own.reduce(
            (sum, { fromS, toS, devices }) => sum + (toS - fromS) * devices.length,
            0,
          );
          expect(service).toBeCloseTo(attainedGpuS, 2);
          expect(finishedAtS).toBe(own.at(-1)!.toS);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('without costs and sharing a job gets just the service that it asks for, and JCT ≥ duration', () => {
    fc.assert(
      fc.property(worlds, ({ regime, gpus, count, seed, policy }) => {
        fc.pre(regime !== 'workstation');
        const { outcomes } = run(worldOf(regime, trace(count, gpus, seed), { gpus, seed }), policy);
        for (const { job, finishedAtS, attainedGpuS, lostS } of outcomes) {
          expect(attainedGpuS).toBeCloseTo(job.durationS * job.gpus, 2);
          expect(finishedAtS - job.submittedAtS).toBeGreaterThan(job.durationS - 1e-3);
          expect(lostS).toBe(0);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the workstation', () => {
  const jobs = trace(2000, 4, 3);
  const world = worldOf('workstation', jobs, { gpus: 4, seed: 5 });
  const share = (of: (job: SimulatedWorld['jobs'][number]) => boolean): number =>
    world.jobs.filter(of).length / world.jobs.length;

  it('has the jobs that the regime says', () => {
    const { restartableShare, elasticShare, repeatedShare, undeclaredShare, squeezedShare } =
      REGIMES.workstation;
    expect(share((job) => job.restartable === true)).toBeCloseTo(restartableShare, 1);
    expect(share((job) => job.maxGpus !== undefined)).toBeCloseTo(elasticShare, 1);
    expect(share((job) => job.predicted !== null)).toBeCloseTo(repeatedShare, 1);
    expect(share((job) => job.vramMib === null)).toBeCloseTo(undeclaredShare, 1);
    expect(share((job) => job.vramMib !== null && job.vramMib < job.peakMib!)).toBeCloseTo(squeezedShare, 2);
    expect(new Set(world.jobs.map(({ user }) => user))).toEqual(new Set(['ada', 'ben', 'cho']));
    expect(new Set(world.jobs.map(({ priority: p }) => p))).toEqual(new Set([0, 10, -10]));
    for (const { restartS } of world.jobs) {
      expect(restartS).toBeGreaterThanOrEqual(30);
      expect(restartS).toBeLessThanOrEqual(180);
    }
    expect(new Set(world.jobs.map(({ kind }) => kind))).toEqual(new Set(JOB_KINDS));
  });

  it('predicts with the error that it says', () => {
    const errors = world.jobs.flatMap(({ predicted, durationS }) =>
      predicted === null ? [] : [Math.log(predicted.p50S / durationS)],
    );
    const mean = errors.reduce((sum, e) => sum + e, 0) / errors.length;
    const sigma = Math.sqrt(errors.reduce((sum, e) => sum + (e - mean) ** 2, 0) / errors.length);
    expect(mean).toBeCloseTo(0, 1);
    expect(sigma).toBeCloseTo(0.7, 1);
  });

  it('predicts named jobs from earlier runs of the same command alone', () => {
    const named = (jobId: string, submitS: number, name: string): TraceJob => ({
      ...bare,
      jobId,
      submitS,
      durationS: 100,
      gpus: 1,
      name,
    });
    const rows = [named('a', 0, 'x'), named('b', 50, 'x'), named('c', 200, 'x'), named('d', 300, 'y')];
    const [a, b, c, d] = worldOf('workstation', rows, { gpus: 1, seed: 1 }).jobs;
    expect([a!.predicted, b!.predicted, d!.predicted]).toEqual([null, null, null]);
    expect(c!.predicted!.p50S).toBeCloseTo(100, 6);
    expect(c!.predicted!.p90S).toBeGreaterThan(c!.predicted!.p50S);
  });

  it('takes from the trace what it says', () => {
    const said = { vramMib: 7000, gpuUtil: 0.3, priority: 4, user: 'zoe', name: `${JOB_KINDS[3]} · abc` };
    const [job] = worldOf('workstation', trace(1, 1, 1, said), { gpus: 1, seed: 1 }).jobs;
    expect(job).toMatchObject({ peakMib: 7000, gpuUtil: 0.3, priority: 4, user: 'zoe', kind: JOB_KINDS[3] });
  });

  it('slows jobs that share as was measured, on the GPU type that was asked for', () => {
    const rows = trace(2, 1, 1, {
      submitS: 0,
      durationS: 1000,
      name: 'LM (batch size 80) · a',
      vramMib: 100,
    });
    const speeds = (['v100', 'p100', 'k80'] as const).map((gpuType) => {
      const { speedBeside, jobs: two } = worldOf('workstation', rows, { gpus: 1, seed: 1, gpuType });
      return speedBeside!(two[0]!, [two[1]!]);
    });
    expect(new Set(speeds).size).toBe(3);
    for (const speed of speeds) {
      expect(speed).toBeGreaterThan(0);
      expect(speed).toBeLessThan(1);
    }
  });
});

describe('determinism', () => {
  /** Bit for bit, so that a change of the simulator, wanted or not, is seen. */
  const GOLDEN: Readonly<Record<RegimeName, string>> = {
    // These four policies take no account of predictions.
    lab: '3e8a4d45185fca584507d957c3926051686a841fcd6c172847e4abf02d56bd07',
    hints: '3e8a4d45185fca584507d957c3926051686a841fcd6c172847e4abf02d56bd07',
    workstation: '56d0c3c33fc65e84ff29e8c063a1a9d081a1ebfa4a5411e7e88d84ec6e0b00c9',
  };

  it.each(REGIME_NAMES)('%s gives the same bytes on every machine', (regime) => {
    const world = worldOf(regime, trace(150, 4, 11), { gpus: 4, seed: 9 });
    const outcomes = POLICIES.map((policy) =>
      // Energy follows from the rest, and its model may change.
      run(world, policy).outcomes.map(({ job, energyJ: _energy, ...rest }) => ({ id: job.id, ...rest })),
    );
    expect(createHash('sha256').update(JSON.stringify(outcomes)).digest('hex')).toBe(GOLDEN[regime]);
  });

  it('draws for a job the same whatever comes after it', () => {
    const jobs = trace(50, 4, 2);
    const [all, some] = [jobs, jobs.slice(0, 20)].map(
      (rows) => worldOf('workstation', rows, { gpus: 4, seed: 1 }).jobs,
    );
    expect(all!.slice(0, 20)).toEqual(some);
  });
});
