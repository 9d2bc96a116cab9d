import { describe, expect, it } from 'vitest';
import { isBandit, isNetwork, POLICY_NAMES } from '../../src/domain/policyNames.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { decide, withApplied } from '../../src/scheduler/decide.ts';
import { heuristicByName, LAB_POLICY_NAMES, labPolicy } from '../../src/scheduler/policies/heuristics.ts';
import { DEFAULT_LIMITS, type ShieldLimits, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { brief, running as built, waiting as builtWaiting, device, GIB, NOW_MS, snapshot } from './build.ts';

const HOUR_MS = 3600 * 1000;
/** Jobs of a machine on which a stop costs nothing, unless it is said. */
const waiting: typeof builtWaiting = (id, change) => builtWaiting(id, { stopCostS: 0, ...change });
const running: typeof built = (id, deviceIds, change) => built(id, deviceIds, { stopCostS: 0, ...change });
/** Devices are not shared, jobs may be stopped at any time, nobody starves. */
const LIMITS: ShieldLimits = {
  ...DEFAULT_LIMITS,
  starvationAgeS: Number.POSITIVE_INFINITY,
  maxPreemptions: Number.POSITIVE_INFINITY,
  minSpellS: 0,
};

/** What a policy does at one instant, in brief. */
function epoch(name: string, snap: Snapshot, history: readonly number[] = [], rng = seededRng(1)): string[] {
  const policy = labPolicy(name);
  const actions: string[] = [];
  let now = snap;
  for (;;) {
    const step = decide({ snapshot: now, policy, heuristic: policy, rng, limits: LIMITS, history });
    expect(step.fallback).toBeNull();
    if (step.chosen.kind === 'wait') return actions;
    actions.push(brief(step.chosen));
    now = withApplied(now, step.chosen);
  }
}

const inS = (s: number) => ({ p10S: s / 2, p50S: s, p90S: 2 * s });
const alone = { exclusive: true };
const gpus = (n: number) => Array.from({ length: n }, (_, i) => device(i));
/** One device, taken for an hour by #9, which may be stopped. */
const taken = (change: object) => ({
  devices: gpus(1),
  running: [
    running(9, ['g0'], {
      ...alone,
      restartable: true,
      submittedAtMs: NOW_MS - HOUR_MS,
      startedAtMs: NOW_MS - HOUR_MS,
      changedAtMs: NOW_MS - HOUR_MS,
      ...change,
    }),
  ],
});

describe('names', () => {
  it('are those of the policies, live and in the lab', () => {
    const live = POLICY_NAMES.filter((name) => !isNetwork(name));
    const still = live.filter((name) => !isBandit(name));
    expect(still.map((name) => heuristicByName(name).name)).toEqual(still);
    expect(LAB_POLICY_NAMES.map((name) => labPolicy(name).name)).toEqual([
      ...live,
      'teacher',
      'sjf',
      'srtf',
      'srsf',
    ]);
  });

  it('tell who knows true durations, and nobody of those is to be had live', () => {
    const knowing = LAB_POLICY_NAMES.filter((name) => labPolicy(name).clairvoyant);
    expect(knowing).toEqual(['sjf', 'srtf', 'srsf']);
    expect(POLICY_NAMES.filter((name) => knowing.includes(name))).toEqual([]);
  });

  it('that no policy has are refused', () => {
    expect(() => labPolicy('best')).toThrow(/^policy: "best".* fifo, first-fit, easy/);
  });

  it('change their minds less where a stop costs something, or nobody knows', () => {
    const past = Array.from({ length: 20 }, (_, i) => 100 * (i + 1));
    for (const stopCostS of [0, 900, undefined]) {
      // A total of 10,000 GPU-seconds, of which it has had 5000, and somebody who needs half of that.
      const told = stopCostS === undefined ? {} : { stopCostS };
      const [runs] = taken({ attainedGpuS: 5000, remaining: inS(5000) }).running;
      const { stopCostS: _free, ...job } = runs!;
      const { stopCostS: _none, ...next } = waiting(10, { ...alone, remaining: inS(5000) });
      const snap = snapshot({
        devices: gpus(1),
        running: [{ ...job, ...told }],
        waiting: [{ ...next, ...told }],
      });
      const gives = stopCostS === 0 ? ['preempt 9', '10>g0'] : [];
      for (const name of ['pspt', 'tiresias']) expect([name, epoch(name, snap, past)]).toEqual([name, gives]);
      // Who names a parameter means it wherever it is.
      expect(epoch('pspt:headStart=0.9', snap, past)).toEqual(['preempt 9', '10>g0']);
    }
  });

  it('take other parameters with their name, and refuse those that they do not have', () => {
    const { devices, running: runs } = taken({ attainedGpuS: 4000 });
    const snap = snapshot({ devices, running: runs, waiting: [waiting(10, alone)] });
    expect(epoch('tiresias', snap)[0]).toBe('preempt 9');
    expect(epoch('tiresias:thresholdGpuS=5000', snap)).toEqual([]);
    expect(labPolicy('tiresias:thresholdGpuS=5000').name).toBe('tiresias:thresholdGpuS=5000');
    expect(() => labPolicy('tiresias:knob=2')).toThrow(/^policy: .*thresholdGpuS or promote=NUMBER/);
    expect(() => labPolicy('las:share=1')).toThrow(/share a number above 0 and below 1/);
    expect(() => labPolicy('tiresias:promote=')).toThrow(/promote a number above 0/);
    expect(() => labPolicy('fifo:share=0.1')).toThrow(/only aged, las, tiresias/);
  });
});

describe('easy', () => {
  /** #1 needs both devices, and #9 leaves one of them in 100 s. */
  const behind = (...jobs: number[]) =>
    snapshot({
      running: [running(9, ['g0'], { ...alone, remaining: inS(100) })],
      waiting: [
        waiting(1, { gpus: 2, ...alone }),
        ...jobs.map((s, i) => waiting(2 + i, { ...alone, remaining: inS(s) })),
      ],
    });

  it('lets a job overtake that is through before the head can start, where fifo and first-fit differ', () => {
    expect(epoch('easy', behind(200, 50))).toEqual(['3>g1']);
    expect(epoch('fifo', behind(200, 50))).toEqual([]);
    expect(epoch('first-fit', behind(200, 50))).toEqual(['2>g1']);
    expect(epoch('easy', behind(101))).toEqual([]);
    expect(epoch('easy', behind(100))).toEqual(['2>g1']);
  });

  it('lets a long job take a device that the head will not need', () => {
    const head = (asks: number) =>
      snapshot({
        devices: gpus(4),
        running: [
          running(8, ['g0', 'g1'], { ...alone, remaining: inS(100) }),
          running(9, ['g2'], { ...alone, remaining: inS(500) }),
        ],
        waiting: [waiting(1, { gpus: asks, ...alone }), waiting(2, { ...alone, remaining: inS(1000) })],
      });
    // At 100 s three are free: one more than two.
    expect(epoch('easy', head(2))).toEqual(['2>g3']);
    expect(epoch('easy', head(3))).toEqual([]);
  });

  it('keeps as many devices as the head asks for where nobody knows when it can start, and no more', () => {
    const unknown = running(9, ['g0'], alone);
    const short = waiting(2, { ...alone, remaining: inS(1) });
    const wide = waiting(1, { gpus: 2, ...alone });
    expect(epoch('easy', snapshot({ running: [unknown], waiting: [wide, short] }))).toEqual([]);
    // The head fits on g0 alone, so that g1 is not kept for it.
    const large = waiting(1, { ...alone, vramMib: 20 * GIB });
    const devices = [device(0), device(1, { memoryTotalMib: 8 * GIB })];
    expect(epoch('easy', snapshot({ devices, running: [unknown], waiting: [large, short] }))).toEqual([
      '2>g1',
    ]);
  });

  it('knows that the head may start beside others', () => {
    // #9 leaves in 100 s, and #1 then fits beside #8, which stays for long; #2 would hold that place for too long.
    const snap = snapshot({
      devices: gpus(1),
      running: [
        running(8, ['g0'], { vramMib: 8 * GIB, remaining: inS(9000) }),
        running(9, ['g0'], { vramMib: 10 * GIB, remaining: inS(100) }),
      ],
      waiting: [
        waiting(1, { vramMib: 12 * GIB }),
        waiting(2, { vramMib: 5 * GIB, remaining: inS(500) }),
        waiting(3, { vramMib: 5 * GIB, remaining: inS(50) }),
      ],
    });
    expect(epoch('easy', snap)).toEqual(['3>g0']);
  });

  it('lets CPU-only jobs and others pass each other', () => {
    const cpu = waiting(2, { gpus: 0 });
    const full = { running: [running(9, ['g0', 'g1'], alone)] };
    expect(epoch('easy', snapshot({ ...full, waiting: [waiting(1), cpu] }))).toEqual(['2>']);
    const noSlot = { cpuSlots: 1, running: [running(9, [], { gpus: 0 })] };
    expect(epoch('easy', snapshot({ ...noSlot, waiting: [cpu, waiting(3, alone)] }))).toEqual(['3>g0']);
  });
});

describe('aged', () => {
  const pair = (priority: number, waitedH: number) =>
    snapshot({
      devices: gpus(1),
      waiting: [
        waiting(1, { ...alone, priority, waitingSinceMs: NOW_MS }),
        waiting(2, { ...alone, waitingSinceMs: NOW_MS - waitedH * HOUR_MS }),
      ],
    });

  it('lets an hour of waiting weigh as much as a point of priority, where priority does not', () => {
    expect(epoch('aged', pair(2, 3))).toEqual(['2>g0']);
    expect(epoch('aged', pair(4, 3))).toEqual(['1>g0']);
    expect(epoch('aged', pair(3, 3))).toEqual(['1>g0']);
    expect(epoch('priority', pair(2, 3))).toEqual(['1>g0']);
  });
});

describe('by predictions', () => {
  /** 100 s on two devices, 150 s on one, and one of which nothing is known. */
  const snap = snapshot({
    waiting: [
      waiting(1, { ...alone }),
      waiting(2, { ...alone, gpus: 2, remaining: inS(100) }),
      waiting(3, { ...alone, remaining: inS(150) }),
    ],
  });

  it('qssf counts the GPUs, where sjf does not', () => {
    expect(epoch('qssf', snap)).toEqual(['3>g0', '1>g1']);
    expect(epoch('sjf', snap)).toEqual(['2>g0+g1']);
  });

  it('qssf takes the mean of earlier jobs for one of which nothing is known', () => {
    expect(epoch('qssf', snap, [10, 20, 450])).toEqual(['3>g0', '1>g1']);
    expect(epoch('qssf', snap, [10, 20, 300])).toEqual(['1>g0', '3>g1']);
  });

  it('pspt goes by the total, where srtf goes by what remains', () => {
    const long = { ...taken({ attainedGpuS: 1000, remaining: inS(100) }) };
    const short = waiting(1, { ...alone, remaining: inS(500) });
    expect(epoch('pspt', snapshot({ ...long, waiting: [short] }))).toEqual(['preempt 9', '1>g0']);
    expect(epoch('srtf', snapshot({ ...long, waiting: [short] }))).toEqual([]);
    // Less than a tenth less is no reason.
    const alike = waiting(1, { ...alone, remaining: inS(1000) });
    expect(epoch('pspt', snapshot({ ...long, waiting: [alike] }))).toEqual([]);
  });

  it('pspt expects of an unpredicted job what longer ones took', () => {
    const past = [100, 200, 1000, 3000];
    const unknown = (attainedGpuS: number, otherS: number) =>
      snapshot({
        devices: gpus(1),
        waiting: [waiting(1, { ...alone, remaining: inS(otherS) }), waiting(2, { ...alone, attainedGpuS })],
      });
    // (100 + 200 + 1000 + 3000) / 4 = 1075, and (1000 + 3000) / 2 = 2000.
    expect(epoch('pspt', unknown(0, 1500), past)).toEqual(['2>g0']);
    expect(epoch('pspt', unknown(200, 1500), past)).toEqual(['1>g0']);
    expect(epoch('pspt', unknown(200, 2100), past)).toEqual(['2>g0']);
  });
});

describe('las', () => {
  const against = (ran: number, waited: number) =>
    epoch(
      'las',
      snapshot({
        ...taken({ attainedGpuS: ran }),
        waiting: [waiting(1, { ...alone, attainedGpuS: waited })],
      }),
    );

  it('lets the one with less service take over when it is behind by 300 GPU-seconds, or by a fifth', () => {
    expect(against(299, 0)).toEqual([]);
    expect(against(301, 0)).toEqual(['preempt 9', '1>g0']);
    expect(against(10_000, 8_001)).toEqual([]);
    expect(against(10_000, 7_999)).toEqual(['preempt 9', '1>g0']);
  });

  it('looks again when somebody who runs passes somebody who waits, at the next level', () => {
    const lookS = (attainedGpuS: number, waited: readonly number[]) =>
      labPolicy('las').reviewAfterS?.(
        snapshot({
          running: [running(9, ['g0', 'g1'], { attainedGpuS })],
          waiting: waited.map((had, i) => waiting(i + 1, { attainedGpuS: had })),
        }),
        [],
      );
    // It is ahead of 1000 at 1300; the next level is 1500, and two devices take 250 s to get there.
    expect(lookS(1000, [1000, 5000])).toBe(250);
    // It is ahead of who has had nothing already, and nobody else waits.
    expect(lookS(1000, [0])).toBe(Number.POSITIVE_INFINITY);
    expect(lookS(100, [0])).toBe(100);
  });
});

describe('tiresias', () => {
  const against = (ran: number, waited: number, change: object = {}) =>
    epoch(
      'tiresias',
      snapshot({
        ...taken({ attainedGpuS: ran, ...change }),
        waiting: [waiting(10, { ...alone, attainedGpuS: waited })],
      }),
    );

  it('lets nobody change places within a queue, where las does', () => {
    expect(against(3249, 0)).toEqual([]);
    expect(against(9000, 3250)).toEqual([]);
    expect(against(3250, 3249)).toEqual(['preempt 9', '10>g0']);
  });

  it('puts who has waited 32 times as long as it ran into the first queue', () => {
    const ran = { attainedGpuS: 4000, ...alone };
    const waiter = (ageS: number) =>
      snapshot({
        ...taken({ attainedGpuS: 3250 }),
        waiting: [waiting(10, { ...ran, submittedAtMs: NOW_MS - 1000 * ageS })],
      });
    expect(epoch('tiresias', waiter(33 * 4000 - 1))).toEqual([]);
    expect(epoch('tiresias', waiter(33 * 4000))).toEqual(['preempt 9', '10>g0']);
    expect(labPolicy('tiresias').reviewAfterS?.(waiter(33 * 4000 - 70), [])).toBe(70);
  });

  it('lets it double its service then', () => {
    // It had 4000, waited for 32 times as long, and has run since.
    const promoted = (spellS: number) => ({
      startedAtMs: NOW_MS - 1000 * spellS,
      changedAtMs: NOW_MS - 1000 * spellS,
      submittedAtMs: NOW_MS - 1000 * (33 * 4000 + spellS),
    });
    expect(against(4000 + 3999, 0, promoted(3999))).toEqual([]);
    expect(against(4000 + 4000, 0, promoted(4000))).toEqual(['preempt 9', '10>g0']);
    const snap = snapshot({ ...taken({ attainedGpuS: 5000, ...promoted(1000) }), waiting: [waiting(10)] });
    expect(labPolicy('tiresias').reviewAfterS?.(snap, [])).toBe(3000);
  });

  it('looks again exactly when somebody crosses the threshold', () => {
    const snap = snapshot({
      running: [running(9, ['g0', 'g1'], { attainedGpuS: 3000 })],
      waiting: [waiting(1)],
    });
    expect(labPolicy('tiresias').reviewAfterS?.(snap, [])).toBe(125);
  });
});

describe('gittins', () => {
  /** Half of all jobs take 100 GPU-seconds, half 10,000. */
  const past = [...Array(10).fill(100), ...Array(10).fill(10_000)] as number[];
  const between = (...attained: number[]) =>
    snapshot({
      devices: gpus(1),
      waiting: attained.map((attainedGpuS, i) => waiting(i + 1, { ...alone, attainedGpuS })),
    });

  it('prefers who is likeliest to end soon, where las prefers who has had least', () => {
    // An end for each GPU-second: 0.5/100 at the start, 1/9800 after 200, 1/1000 after 9000, 1/100 after 9900.
    expect(epoch('gittins', between(200, 9000), past)).toEqual(['2>g0']);
    expect(epoch('las', between(200, 9000), past)).toEqual(['1>g0']);
    expect(epoch('gittins', between(9000, 0), past)).toEqual(['2>g0']);
    expect(epoch('gittins', between(9900, 0), past)).toEqual(['1>g0']);
    // Who has had more than everybody is last.
    expect(epoch('gittins', between(20_000, 200), past)).toEqual(['2>g0']);
  });

  it('is las while little is known', () => {
    expect(epoch('gittins', between(200, 9000), past.slice(5, 14))).toEqual(['1>g0']);
    expect(epoch('gittins', between(200, 9000), [])).toEqual(['1>g0']);
  });

  it('does not take away from who runs while the chance of an end rises', () => {
    const snap = (attainedGpuS: number) =>
      snapshot({ ...taken({ attainedGpuS }), waiting: [waiting(10, { ...alone })] });
    expect(epoch('gittins', snap(90), past)).toEqual([]);
    expect(epoch('gittins', snap(5000), past)).toEqual(['preempt 9', '10>g0']);
    expect(epoch('gittins', snap(9950), past)).toEqual([]);
  });

  it('nor while who runs is ahead by less than a quantum', () => {
    const doubling = Array.from({ length: 10 }, (_, i) => 100 * 2 ** i);
    const snap = (attainedGpuS: number) =>
      snapshot({
        ...taken({ attainedGpuS }),
        waiting: [waiting(10, { ...alone, attainedGpuS: 500 })],
      });
    // After 500 the index is 1/1800; after 850 it is 1/3750, but 300 earlier it was 1/1500; after 1200, 1/2000.
    expect(epoch('gittins', snap(850), doubling)).toEqual([]);
    expect(epoch('gittins', snap(1200), doubling)).toEqual(['preempt 9', '10>g0']);
  });

  it('looks again at the first level of service at which somebody who waits goes before', () => {
    const lookS = (attainedGpuS: number, waited: number, history = past) =>
      labPolicy('gittins').reviewAfterS?.(
        snapshot({
          running: [running(9, ['g0', 'g1'], { attainedGpuS })],
          waiting: [waiting(1, { attainedGpuS: waited })],
        }),
        history,
      );
    // At 300 it is past the jobs of 100, and no better a quantum ago than who has had nothing.
    expect([lookS(0, 0), lookS(100, 0)]).toEqual([150, 100]);
    // Behind already: nothing that it attains makes a difference.
    expect(lookS(600, 0)).toBe(Number.POSITIVE_INFINITY);
    // Ahead until it has had more than everybody: levels are a fifth apart there, and two devices at work.
    expect(9000 + 2 * lookS(9000, 200)!).toBeGreaterThan(10_000);
    // Nothing is known: as las.
    expect(lookS(0, 0, [])).toBe(150);
  });
});

describe('fair', () => {
  const asked = (user: string) => (id: number) => waiting(id, { ...alone, user });
  const [ada, bob] = [asked('ada'), asked('bob')];

  it('lets the user start who holds least', () => {
    const full = { devices: gpus(3), running: [running(9, ['g0'], { ...alone, user: 'ada' })] };
    expect(epoch('fair', snapshot({ ...full, waiting: [ada(1), ada(2), bob(3)] }))).toEqual(['3>g1', '1>g2']);
    expect(epoch('first-fit', snapshot({ ...full, waiting: [ada(1), ada(2), bob(3)] }))).toEqual([
      '1>g1',
      '2>g2',
    ]);
  });

  it('counts the resource of which a user holds the larger share', () => {
    // Ada: 2/4 of the GPUs and 8/96 of the memory. Bob: 1/4 of the GPUs, and of the memory 60/96.
    const devices = [0, 1, 2]
      .map((i) => device(i, { memoryTotalMib: 12 * GIB }))
      .concat(device(3, { memoryTotalMib: 60 * GIB }));
    const held = [
      running(8, ['g0', 'g1'], { ...alone, user: 'ada', vramMib: 4 * GIB }),
      running(9, ['g3'], { ...alone, user: 'bob', vramMib: 60 * GIB }),
    ];
    expect(epoch('fair', snapshot({ devices, running: held, waiting: [bob(1), ada(2)] }))).toEqual(['2>g2']);
    const less = [held[0]!, { ...held[1]!, vramMib: 4 * GIB }];
    expect(epoch('fair', snapshot({ devices, running: less, waiting: [ada(1), bob(2)] }))).toEqual(['2>g2']);
  });

  it('counts a shared GPU in parts', () => {
    const held = [
      running(7, ['g0'], { user: 'ada' }),
      running(8, ['g1'], { user: 'bob' }),
      running(9, ['g1'], { user: 'cho' }),
    ];
    const snap = snapshot({ devices: gpus(3), running: held, waiting: [ada(1), bob(2)] });
    expect(epoch('fair', snap)).toEqual(['2>g2']);
  });

  it('then goes by service, then by the queue', () => {
    const both = { devices: gpus(1), waiting: [ada(1), bob(2)] };
    expect(epoch('fair', snapshot(both))).toEqual(['1>g0']);
    expect(epoch('fair', snapshot({ ...both, serviceByUser: { ada: 10, bob: 5 } }))).toEqual(['2>g0']);
    const large = [{ ...ada(1), gpus: 2, minGpus: 2, maxGpus: 2 }, bob(2), ada(3)];
    expect(epoch('fair', snapshot({ ...both, waiting: large }))).toEqual(['2>g0']);
  });
});

describe('tetris', () => {
  it('starts the demand first that aligns best with what is free', () => {
    const jobs = [waiting(1, { ...alone }), waiting(2, { ...alone, vramMib: 20 * GIB })];
    expect(epoch('tetris', snapshot({ devices: gpus(1), waiting: jobs }))).toEqual(['2>g0']);
  });

  it('weighs it against remaining work', () => {
    // Alignments 1 + 4/24 + 1 and 1 + 20/24 + 1, mean 2.5; works 10 and 1000, mean 505.
    const jobs = [
      waiting(1, { ...alone, remaining: inS(10) }),
      waiting(2, { ...alone, vramMib: 20 * GIB, remaining: inS(1000) }),
    ];
    expect(epoch('tetris', snapshot({ devices: gpus(1), waiting: jobs }))).toEqual(['1>g0']);
  });

  it('prefers the emptier of two devices', () => {
    const snap = snapshot({
      running: [
        running(8, ['g0'], { vramMib: 8 * GIB, gpuUtil: 0.2 }),
        running(9, ['g1'], { vramMib: 2 * GIB, gpuUtil: 0.2 }),
      ],
      waiting: [waiting(1, { gpuUtil: 0.5 })],
    });
    expect([epoch('tetris', snap), epoch('first-fit', snap)]).toEqual([['1>g1'], ['1>g0']]);
  });
});

describe('pack', () => {
  const using = (gpuUtil: number | null, change: object = {}) => waiting(1, { gpuUtil, ...change });
  const beside = (...utils: (number | null)[]) =>
    snapshot({
      devices: gpus(1),
      running: utils.map((gpuUtil, i) => running(8 + i, ['g0'], { gpuUtil })),
      waiting: [using(0.9)],
    });

  it('shares where two do more work than one, and not where three do less than two', () => {
    // 0.9 + 0.9: each at 1 − 0.37 · 0.8 = 0.704, together 0.408 more than one alone.
    expect(epoch('pack', beside(0.9))).toEqual(['1>g0']);
    // Three: each at 0.371, together 1.113, where two have 1.408.
    expect(epoch('pack', beside(0.9, 0.9))).toEqual([]);
    expect(epoch('first-fit', beside(0.9, 0.9))).toEqual(['1>g0']);
    // What is unknown counts as a full GPU: 0.667 each, of which the other loses 0.333.
    expect(epoch('pack', beside(null))).toEqual(['1>g0']);
    expect(epoch('pack', beside(0.5, null))).toEqual([]);
  });

  it('takes the place where most is gained, however full its memory', () => {
    const snap = snapshot({
      running: [
        running(8, ['g0'], { gpuUtil: 0.9, vramMib: 16 * GIB }),
        running(9, ['g1'], { gpuUtil: 0.3 }),
      ],
      waiting: [using(0.5)],
    });
    expect([epoch('pack', snap), epoch('first-fit', snap)]).toEqual([['1>g1'], ['1>g0']]);
  });

  it('does not shrink an elastic job that fits as it asks', () => {
    const elastic = using(0.9, { gpus: 2, minGpus: 1, maxGpus: 2 });
    const snap = snapshot({ running: [running(9, ['g1'], { gpuUtil: 0.9 })], waiting: [elastic] });
    expect(epoch('pack', snap)).toEqual(['1>g0+g1']);
  });

  it('starts the job first that is expected to need least', () => {
    const jobs = [500, 100, null].map((s, i) =>
      waiting(i + 1, { ...alone, remaining: s === null ? null : inS(s) }),
    );
    expect(epoch('pack', snapshot({ devices: gpus(1), waiting: jobs }))).toEqual(['2>g0']);
    expect(epoch('pack', snapshot({ devices: gpus(1), waiting: jobs }), [50])).toEqual(['3>g0']);
  });

  it('passes over a job for which no place pays', () => {
    const snap = snapshot({
      devices: gpus(1),
      running: [running(9, ['g0'], { gpuUtil: 0.9 })],
      waiting: [using(1, { gpuUtil: 1.3, remaining: inS(1) }), waiting(2, { gpuUtil: 0.1 })],
    });
    expect(epoch('pack', snap)).toEqual(['2>g0']);
  });
});

describe('random', () => {
  it('takes every launch at some time, and waits at none', () => {
    const jobs = [1, 2, 3].map((id) => waiting(id, alone));
    const rng = seededRng(3);
    const orders = new Set(
      Array.from({ length: 100 }, () => epoch('random', snapshot({ waiting: jobs }), [], rng).join(' ')),
    );
    expect([...orders].sort()).toEqual([
      '1>g0 2>g1',
      '1>g0 3>g1',
      '2>g0 1>g1',
      '2>g0 3>g1',
      '3>g0 1>g1',
      '3>g0 2>g1',
    ]);
  });
});

describe('who competes', () => {
  const long = (id: number, place: string, change: object) =>
    running(id, [place], { ...alone, restartable: true, ...change });

  it('stops only those that are in the way', () => {
    // #1 fits on g0 alone, though #9 on g1 has had most.
    const snap = snapshot({
      devices: [device(0), device(1, { memoryTotalMib: 8 * GIB })],
      running: [long(8, 'g0', { attainedGpuS: 9000 }), long(9, 'g1', { attainedGpuS: 9500 })],
      waiting: [waiting(1, { ...alone, vramMib: 20 * GIB }), waiting(2, alone)],
    });
    expect(epoch('las', snap)).toEqual(['preempt 8', '1>g0', 'preempt 9', '2>g1']);
  });

  it('starts beside others where nobody can be stopped', () => {
    const snap = snapshot({ devices: gpus(1), running: [running(9, ['g0'])], waiting: [waiting(1)] });
    expect(epoch('las', snap)).toEqual(['1>g0']);
  });
});

it('an elastic job starts at its first size, however many devices are free', () => {
  const snap = snapshot({
    devices: gpus(4),
    waiting: [waiting(1, { ...alone, gpus: 2, minGpus: 1, maxGpus: 4 })],
  });
  for (const name of LAB_POLICY_NAMES.filter((known) => known !== 'random' && known !== 'teacher')) {
    expect([name, epoch(name, snap)]).toEqual([name, ['1>g0+g1']]);
  }
});
