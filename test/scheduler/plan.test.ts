import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { decide, withApplied } from '../../src/scheduler/decide.ts';
import { PLAN } from '../../src/scheduler/plan/config.ts';
import { planReviewS } from '../../src/scheduler/plan/review.ts';
import { teacher, teacherWith } from '../../src/scheduler/policies/teacher.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { DEFAULT_LIMITS, type ShieldLimits, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { simulate } from '../../src/simulator/machine.ts';
import type { SimulatedWorld } from '../../src/simulator/world.ts';
import { device, GIB, NOW_MS, running, snapshot, waiting } from './build.ts';

/** What is done at one instant, as `1>g0`, `9 preempt`. */
function epoch(start: Snapshot, limits: Partial<ShieldLimits> = {}): string[] {
  const done: string[] = [];
  let snap = start;
  for (;;) {
    const step = decide({
      snapshot: snap,
      policy: teacher,
      heuristic: teacher,
      rng: seededRng(1),
      limits: { ...DEFAULT_LIMITS, starvationAgeS: 1e9, mostPerDevice: 2, ...limits },
    });
    const { chosen } = step;
    if (step.fallback !== null) throw new Error(step.fallback.error);
    if (chosen.kind === 'wait') return done;
    done.push(
      chosen.kind === 'launch'
        ? `${chosen.jobId}>${chosen.deviceIds.join('+')}`
        : `${chosen.jobId} ${chosen.kind}`,
    );
    snap = withApplied(snap, chosen);
    if (done.length > 30) throw new Error(`it never stops: ${done.join(', ')}`);
  }
}

const lasts = (s: number) => ({
  remaining: { p10S: s / 1.3, p50S: s, p90S: s * 1.3 },
  predicted: { p10S: s / 1.3, p50S: s, p90S: s * 1.3 },
});
const alone = { exclusive: true, vramMib: null } as const;
const OLD = { startedAtMs: NOW_MS - 3.6e6, changedAtMs: NOW_MS - 3.6e6 } as const;

describe('the plan', () => {
  it('starts who is likeliest to end soon, and fills what is left', () => {
    const snap = snapshot({
      devices: [device(0)],
      waiting: [waiting(1, { ...alone, ...lasts(9000) }), waiting(2, { ...alone, ...lasts(60) })],
    });
    expect(epoch(snap)).toEqual(['2>g0']);
  });

  it('stops a long job for a short one where stopping is cheap, and not where it is dear', () => {
    const long = (stopCostS: number) =>
      running(9, ['g0'], {
        ...alone,
        ...OLD,
        ...lasts(90_000),
        restartable: true,
        stopCostS,
        attainedGpuS: 3600,
      });
    const short = waiting(1, { ...alone, ...lasts(300) });
    const snap = snapshot({ devices: [device(0)], waiting: [short], running: [long(10)] });
    expect(epoch(snap)).toEqual(['9 preempt', '1>g0']);
    expect(epoch({ ...snap, running: [long(1e6)] })).toEqual([]);
  });

  it('pauses who cannot be stopped where the short one fits beside its memory, and lets it go on afterwards', () => {
    const long = { ...OLD, ...lasts(90_000), vramMib: 8 * GIB, gpuUtil: 1, attainedGpuS: 3600 };
    const short = waiting(1, { ...lasts(60), vramMib: 8 * GIB, gpuUtil: 1 });
    const snap = snapshot({
      devices: [device(0, { memoryTotalMib: 24 * GIB })],
      waiting: [short],
      running: [running(9, ['g0'], long)],
    });
    expect(epoch(snap, { mayPause: true, mostPerDevice: 1 })).toEqual(['9 pause', '1>g0']);
    const over = { ...snap, waiting: [], running: [running(9, ['g0'], { ...long, pausedBy: 'scheduler' })] };
    expect(
      epoch({ ...over, waiting: [waiting(2, { ...alone, gpus: 1, ...lasts(1e6) })] }, { mayPause: true }),
    ).toEqual(['9 resume']);
  });

  it('shares a device where that adds throughput, and less gladly once sharing turned out to cost much', () => {
    const half = { vramMib: 4 * GIB, gpuUtil: 0.5 };
    const snap = snapshot({
      devices: [device(0, { memoryTotalMib: 24 * GIB })],
      waiting: [waiting(1, { ...half, ...lasts(3600) }), waiting(2, { ...half, ...lasts(3600) })],
    });
    expect(epoch(snap)).toEqual(['1>g0', '2>g0']);
    expect(epoch({ ...snap, sharing: { pairedS: 1e6, workS: 0.3e6 } })).toEqual(['1>g0']);
  });

  it('gives an elastic job what is idle, and no more than one device where others wait for the rest', () => {
    const elastic = waiting(1, { ...alone, gpus: 2, minGpus: 1, maxGpus: 4, ...lasts(600) });
    const devices = [0, 1, 2, 3].map((index) => device(index));
    expect(epoch(snapshot({ devices, waiting: [elastic] }))).toEqual(['1>g0+g1+g2+g3']);
    const others = [2, 3, 4].map((id) => waiting(id, { ...alone, ...lasts(700) }));
    expect(epoch(snapshot({ devices, waiting: [elastic, ...others] }))).toHaveLength(4);
  });

  it('moves an elastic job to more devices once they are idle, unless little is left of it or it moved too often', () => {
    const devices = [0, 1, 2, 3].map((index) => device(index));
    const small = (s: number, preemptions = 0) =>
      running(9, ['g0'], {
        ...alone,
        ...OLD,
        ...lasts(s),
        gpus: 2,
        minGpus: 1,
        maxGpus: 4,
        restartable: true,
        stopCostS: 900,
        preemptions,
      });
    const moved = (job: ReturnType<typeof small>) => epoch(snapshot({ devices, running: [job] }));
    expect(moved(small(90_000))).toEqual(['9 preempt', '9>g0+g1+g2+g3']);
    expect(moved(small(600))).toEqual([]);
    expect(moved(small(90_000, 3))).toEqual([]);
  });

  it('moves a job from beside another to an idle device, and from where the owner sits', () => {
    const full = { ...OLD, ...lasts(90_000), vramMib: 4 * GIB, gpuUtil: 1, stopCostS: 900 };
    const pair = [running(8, ['g0'], full), running(9, ['g0'], { ...full, restartable: true })];
    const two = [device(0, { memoryTotalMib: 24 * GIB }), device(1, { memoryTotalMib: 24 * GIB })];
    expect(epoch(snapshot({ devices: two, running: pair }))).toEqual(['9 preempt', '9>g1']);
    const owners = [device(0, { ownerPresent: true }), device(1)];
    const job = running(9, ['g0'], { ...full, restartable: true });
    expect(epoch(snapshot({ devices: owners, running: [job] }))).toEqual(['9 preempt', '9>g1']);
    expect(epoch(snapshot({ devices: two, running: [job] }))).toEqual([]);
    // A person wants it nowhere else.
    const pinned = { ...job, pinnedTo: ['g0'] };
    expect(epoch(snapshot({ devices: owners, running: [pinned] }))).toEqual([]);
  });

  it('starts where nobody stands still who could not go on then', () => {
    const still = running(9, ['g0'], { ...OLD, ...lasts(9e6), vramMib: 8 * GIB, pausedBy: 'scheduler' });
    const snap = snapshot({
      devices: [device(0, { memoryTotalMib: 24 * GIB }), device(1, { memoryTotalMib: 24 * GIB })],
      waiting: [waiting(1, { ...lasts(60), vramMib: 8 * GIB })],
      running: [still],
    });
    expect(epoch(snap, { mayPause: true })[0]).toBe('1>g1');
  });

  it('is asked in the simulator though nobody waits, so that who was squeezed grows when others have ended', () => {
    const job = { predicted: null, vramMib: null, exclusive: true, priority: 0, user: 'ada' } as const;
    const world: SimulatedWorld = {
      devicesMib: [24 * GIB, 24 * GIB],
      limits: { ...DEFAULT_LIMITS, mostPerDevice: 1 },
      jobs: [
        { ...job, id: 1, submittedAtS: 0, durationS: 2000, gpus: 1 },
        {
          ...job,
          id: 2,
          submittedAtS: 1,
          durationS: 50_000,
          gpus: 1,
          maxGpus: 2,
          minGpus: 1,
          restartable: true,
        },
      ],
    };
    const ends = (policy: Policy) =>
      simulate(world, { policy, heuristic: policy, rng: seededRng(1) }).map(
        ({ job: { id }, finishedAtS }) => [id, Math.round(finishedAtS)],
      );
    // 1,999 s on one device, the other 48,001 s on two.
    expect(ends(teacher)).toEqual([
      [1, 2000],
      [2, 2000 + 24_001],
    ]);
    expect(ends(teacherWith({ ...PLAN, moveFactor: 0 }))).toEqual([
      [1, 2000],
      [2, 50_001],
    ]);
  });

  it('follows the goals: a user who had much waits where fairness counts', () => {
    const job = (id: number, user: string, s: number) => waiting(id, { ...alone, user, ...lasts(s) });
    const snap = snapshot({
      devices: [device(0)],
      waiting: [job(1, 'ada', 1000), job(2, 'bob', 1500)],
      serviceByUser: { ada: 1e6, bob: 100 },
    });
    const goals = (fairness: number) => ({ completion: 1, utilisation: 0.5, fairness, energy: 0 });
    expect(epoch({ ...snap, goals: goals(0) })).toEqual(['1>g0']);
    expect(epoch({ ...snap, goals: goals(2) })).toEqual(['2>g0']);
  });

  it('follows the goals: where energy counts, elastic jobs take few devices and others share', () => {
    const goals = (energy: number) => ({ completion: 1, utilisation: 0.5, fairness: 0.25, energy });
    const elastic = snapshot({
      devices: [device(0), device(1)],
      waiting: [waiting(1, { ...alone, ...lasts(9000), gpus: 2, minGpus: 1, maxGpus: 2 })],
    });
    expect(epoch({ ...elastic, goals: goals(0) })).toEqual(['1>g0+g1']);
    expect(epoch({ ...elastic, goals: goals(2) })).toEqual(['1>g0']);
    // Together they do hardly more than one after the other.
    const busy = { ...lasts(9000), gpuUtil: 0.97, vramMib: 4 * GIB };
    const pair = snapshot({
      devices: [device(0)],
      running: [running(9, ['g0'], { ...OLD, ...busy })],
      waiting: [waiting(1, busy)],
      sharing: { pairedS: 1e6, workS: 0.65e6 },
    });
    expect(epoch({ ...pair, goals: goals(0) })).toEqual([]);
    expect(epoch({ ...pair, goals: goals(2) })).toEqual(['1>g0']);
  });

  it('never leaves a machine idle that could compute', () => {
    const snap = snapshot({ devices: [device(0)], waiting: [waiting(1, { vramMib: 8 * GIB })] });
    expect(epoch(snap)).toEqual(['1>g0']);
  });

  it('is looked at again sooner where who waits is close to who runs', () => {
    const at = (s: number) =>
      snapshot({
        devices: [device(0)],
        waiting: [waiting(1, { ...alone, ...lasts(s) })],
        running: [running(9, ['g0'], { ...alone, ...lasts(600), attainedGpuS: 600 })],
      });
    expect(planReviewS(at(600))).toBeLessThan(planReviewS(at(60_000)));
    expect(planReviewS(at(600))).toBeGreaterThanOrEqual(60);
  });
});
