import fc from 'fast-check';
import type {
  RunningJob,
  ShieldLimits,
  Snapshot,
  SnapshotDevice,
  WaitingJob,
} from '../../src/scheduler/snapshot.ts';
import { GIB, NOW_MS } from './build.ts';

const TOTALS_MIB = [8 * GIB, 12 * GIB, 24 * GIB] as const;
const USERS = ['ada', 'bob', 'cleo'] as const;
const DAY_S = 86_400;

/** Limits with a starvation age that random jobs really reach. */
export const limitsArbitrary: fc.Arbitrary<ShieldLimits> = fc.record({
  starvationAgeS: fc.constantFrom(600, 6 * 3600, DAY_S * 30),
  maxPreemptions: fc.constantFrom(0, 3),
  minSpellS: fc.constantFrom(0, 600),
  mayPause: fc.boolean(),
  memoryMarginMib: fc.constantFrom(0, 256, 1024),
  mostPerDevice: fc.constantFrom(1, 2, 16),
});

/**
 * Snapshots as a machine can have them: up to 6 devices, some unreadable, some with others' processes; running
 * jobs that were placed lawfully; up to 12 waiting jobs of every shape, a few moved, a few very old.
 */
export const snapshotArbitrary: fc.Arbitrary<Snapshot> = fc
  .array(deviceSeed(), { maxLength: 6 })
  .chain((seeds) =>
    fc.record({
      devices: fc.constant(seeds.map(toDevice)),
      waiting: fc
        .array(waitingSeed(), { maxLength: 12 })
        .map((jobs) => jobs.map((job, i): WaitingJob => ({ ...job, id: i + 1, rank: i + 1 }))),
      residents: fc.array(residentSeed(), { maxLength: 8 }),
      cpuSlots: fc.integer({ min: 0, max: 3 }),
      goals: fc.record({ completion: weight(), utilisation: weight(), fairness: weight(), energy: weight() }),
      serviceByUser: fc.dictionary(fc.constantFrom(...USERS), fc.integer({ min: 0, max: 1e6 })),
    }),
  )
  .map(({ residents, ...rest }) => ({
    ...rest,
    nowMs: NOW_MS,
    running: place(residents, rest.devices, rest.cpuSlots),
  }));

function deviceSeed() {
  return fc.record({
    memoryTotalMib: fc.constantFrom(...TOTALS_MIB),
    foreignMib: fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 24 * GIB }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    usable: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    utilisation: fc.option(fc.float({ min: 0, max: 1, noNaN: true })),
  });
}

function toDevice(
  seed: Pick<SnapshotDevice, 'memoryTotalMib' | 'foreignMib' | 'usable' | 'utilisation'>,
  i: number,
): SnapshotDevice {
  const foreignMib = seed.foreignMib === null ? null : Math.min(seed.foreignMib, seed.memoryTotalMib);
  return {
    ...seed,
    ownerPresent: false,
    foreignMib,
    id: `g${i}`,
    index: i,
    temperatureC: null,
    powerW: null,
  };
}

function jobSeed(gpus: fc.Arbitrary<number>) {
  return fc
    .record({
      id: fc.constant(0),
      rank: fc.constant(0),
      gpus,
      vramMib: fc.oneof(
        { weight: 1, arbitrary: fc.constant(null) },
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 26 * GIB }) },
      ),
      exclusive: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
      priority: fc.integer({ min: -1000, max: 1000 }),
      user: fc.constantFrom(...USERS),
      submittedAtMs: fc.constant(NOW_MS - 40 * DAY_S * 1000),
      gpuUtil: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      restartable: fc.boolean(),
      preemptions: fc.integer({ min: 0, max: 4 }),
      attainedGpuS: fc.constant(0),
      remaining: fc.option(
        fc.integer({ min: 0, max: 1e6 }).map((s) => ({ p10S: s / 2, p50S: s, p90S: s * 3 })),
      ),
    })
    .chain((job) =>
      fc
        .record({ fewer: fc.integer({ min: 0, max: 2 }), more: fc.integer({ min: 0, max: 2 }) })
        .map(({ fewer, more }) => ({
          ...job,
          // Some are elastic.
          minGpus: job.gpus === 0 ? 0 : Math.max(1, job.gpus - fewer),
          maxGpus: job.gpus === 0 ? 0 : job.gpus + more,
        })),
    );
}

function waitingSeed(): fc.Arbitrary<WaitingJob> {
  return fc
    .tuple(
      jobSeed(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 7 }))),
      fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 2 * DAY_S })),
      fc.integer({ min: 0, max: 5 }),
    )
    .map(([job, ageS, n]) => ({
      ...job,
      waitingSinceMs: NOW_MS - ageS * 1000,
      // Some have a deadline to meet, a few of them not yet.
      urgentSinceMs: n === 1 ? NOW_MS - ageS * 500 + 60_000 : null,
      moved: n === 0,
    }));
}

type Resident = RunningJob & { readonly at: number };

function residentSeed(): fc.Arbitrary<Resident> {
  return fc
    .tuple(
      jobSeed(fc.integer({ min: 0, max: 2 })),
      fc.record({
        at: fc.nat({ max: 5 }),
        pausedBy: fc.constantFrom(null, 'person', 'scheduler'),
        progress: fc.option(fc.float({ min: 0, max: 1, noNaN: true })),
      }),
    )
    .map(([job, more]) => ({
      ...job,
      ...more,
      deviceIds: [],
      startedAtMs: NOW_MS - 5000,
      changedAtMs: NOW_MS - 5000,
    }));
}

/** Keeps those residents that could have been placed beside the ones before them; written apart from the code under test. */
function place(
  seeds: readonly Resident[],
  devices: readonly SnapshotDevice[],
  cpuSlots: number,
): RunningJob[] {
  const placed: RunningJob[] = [];
  seeds.forEach(({ at, ...seed }, i) => {
    const job = { ...seed, id: 100 + i, rank: 100 + i };
    const chosen = devices.slice(at, at + job.gpus);
    if (chosen.length < job.gpus) return;
    if (job.gpus === 0 && placed.filter(({ gpus }) => gpus === 0).length >= cpuSlots) return;
    const fits = chosen.every((device) => {
      const others = placed.filter(({ deviceIds }) => deviceIds.includes(device.id));
      const alone = (j: RunningJob): boolean => j.exclusive || j.vramMib === null;
      const active = others.filter(({ pausedBy }) => pausedBy !== 'scheduler');
      if (job.pausedBy !== 'scheduler' && active.length > 0 && [job, ...active].some(alone)) return false;
      if (others.length > 0 && [job, ...others].some(({ vramMib }) => vramMib === null)) return false;
      const sum = [job, ...others].reduce((total, { vramMib }) => total + (vramMib ?? 0), 0);
      return (device.foreignMib ?? 0) + sum <= device.memoryTotalMib;
    });
    if (fits) placed.push({ ...job, deviceIds: chosen.map(({ id }) => id) });
  });
  return placed;
}

function weight() {
  return fc.double({ min: 0, max: 2, noNaN: true });
}
