import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/decision.ts';
import { candidatesOf } from '../../src/scheduler/candidates.ts';
import { FEATURE_COUNT, FEATURE_NAMES, featuresOf } from '../../src/scheduler/features.ts';
import { DEFAULT_LIMITS, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { device, GIB, NOW_MS, running, snapshot, waiting } from './build.ts';

const DAY_S = 86_400;
const logTime = (s: number) => Math.log1p(s) / Math.log1p(DAY_S);

/** The rows as objects by feature name. */
function rows(snap: Snapshot, actions: readonly Action[]): Record<string, number>[] {
  const flat = featuresOf(snap, actions);
  expect(flat).toHaveLength(actions.length * FEATURE_COUNT);
  return actions.map((_, row) =>
    Object.fromEntries(FEATURE_NAMES.map((name, i) => [name, flat[row * FEATURE_COUNT + i] as number])),
  );
}

const all = (snap: Snapshot) =>
  rows(
    snap,
    candidatesOf(snap, DEFAULT_LIMITS).map(({ action }) => action),
  );

describe('features', () => {
  it('have unique names', () => {
    expect(new Set(FEATURE_NAMES).size).toBe(FEATURE_COUNT);
  });

  it('describe the job, the devices and the machine', () => {
    const snap = snapshot({
      devices: [device(0, { foreignMib: 6 * GIB }), device(1, { utilisation: 0.5 })],
      running: [
        running(9, ['g1'], {
          vramMib: 6 * GIB,
          user: 'bob',
          progress: 0.25,
          remaining: { p10S: 1, p50S: 3600, p90S: 9999 },
        }),
      ],
      waiting: [
        waiting(1, { waitingSinceMs: NOW_MS - DAY_S * 1000, gpus: 0 }),
        waiting(2, {
          vramMib: 6 * GIB,
          priority: 10,
          moved: true,
          remaining: { p10S: 30, p50S: 60, p90S: 120 },
        }),
      ],
      goals: { completion: 1.5, utilisation: 0.5, fairness: 0.25, energy: 0 },
      serviceByUser: { ada: 300, bob: 100 },
    });
    const [cpu, foreign, shared, wait] = rows(snap, [
      { kind: 'launch', jobId: 1, deviceIds: [] },
      { kind: 'launch', jobId: 2, deviceIds: ['g0'] },
      { kind: 'launch', jobId: 2, deviceIds: ['g1'] },
      { kind: 'wait' },
    ]) as [Record<string, number>, Record<string, number>, Record<string, number>, Record<string, number>];
    expect(cpu).toMatchObject({
      launch: 1,
      cpuOnly: 1,
      waited: 1,
      remainingKnown: 0,
      remainingP50: 0,
      alone: 1,
    });
    const near = (value: number) => expect.closeTo(value, 5);
    const global = {
      idleDevices: 0.5,
      usableDevices: 1,
      runningRemainingMean: near(logTime(3600)),
      oldestWait: 1,
      shortestWaiting: near(logTime(60)),
      jobsThatFit: near(Math.log(3) / Math.log(101)),
      memoryHeld: 0.25,
      unfairness: near(1 - 400 ** 2 / (2 * (300 ** 2 + 100 ** 2))),
      goalCompletion: 1.5,
      goalUtilisation: 0.5,
      goalFairness: 0.25,
    };
    const job = {
      launch: 1,
      gpusOfMachine: 0.5,
      waited: near(logTime(60)),
      remainingKnown: 1,
      remainingP10: near(logTime(30)),
      remainingP50: near(logTime(60)),
      remainingP90: near(logTime(120)),
      overShortest: 0,
      slowdown: near(Math.log(2) / Math.log(100)),
      ofOldestWait: near(60 / DAY_S),
      priority: 0.5,
      rankPercentile: 0.5,
      moved: 1,
      userShare: 0.75,
      userExcess: 0.25,
    };
    expect(foreign).toMatchObject({
      ...job,
      ...global,
      alone: 1,
      vramOfDevice: 0.25,
      foreign: 0.25,
      freeAfterMean: 0.5,
      idleUsed: 1,
      idleLeft: 0,
      utilisationKnown: 0,
    });
    expect(shared).toMatchObject({
      ...job,
      ...global,
      alone: 0,
      residents: 0.25,
      residentsRemaining: near(logTime(3600)),
      residentsProgress: 0.25,
      utilisation: 0.5,
      freeAfterLeast: 0.5,
      idleUsed: 0,
      idleLeft: 0.5,
    });
    expect(wait).toMatchObject({ ...global, launch: 0, waited: 0, alone: 0, idleLeft: 0.5 });
  });

  it('tell unknown from nought', () => {
    const known = snapshot({ waiting: [waiting(1, { remaining: { p10S: 0, p50S: 0, p90S: 0 } })] });
    expect(all(known)[0]).toMatchObject({
      remainingKnown: 1,
      remainingP50: 0,
      vramUnknown: 0,
      shortestKnown: 1,
    });
    const unknown = snapshot({ waiting: [waiting(1, { vramMib: null })] });
    expect(all(unknown)[0]).toMatchObject({
      remainingKnown: 0,
      vramUnknown: 1,
      vramOfDevice: 0,
      shortestKnown: 0,
    });
  });

  it('stay finite and bounded for absurd values', () => {
    const endless = { p10S: 0, p50S: Number.POSITIVE_INFINITY, p90S: Number.POSITIVE_INFINITY };
    const snap = snapshot({
      devices: [device(0, { memoryTotalMib: 0 })],
      waiting: [waiting(1, { gpus: 64, waitingSinceMs: 0, remaining: endless, priority: -1000 })],
      running: [running(9, ['g0', 'gone'], { remaining: endless })],
      goals: { completion: 1e9, utilisation: 0, fairness: 0, energy: 0 },
    });
    for (const value of featuresOf(
      snap,
      candidatesOf(snap, DEFAULT_LIMITS).map(({ action }) => action),
    )) {
      expect(value).toBeGreaterThanOrEqual(-1);
      expect(value).toBeLessThanOrEqual(3);
    }
  });

  it('do not depend on the order of the rows', () => {
    const snap = snapshot({
      waiting: [waiting(1), waiting(2, { priority: 3 })],
      running: [running(9, ['g0'])],
    });
    const actions = candidatesOf(snap, DEFAULT_LIMITS).map(({ action }) => action);
    expect(rows(snap, actions.toReversed())).toEqual(rows(snap, actions).toReversed());
  });
});
