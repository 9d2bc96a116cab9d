import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/decision.ts';
import { randomInt, seededRng } from '../../src/domain/rng.ts';
import { candidatesOf } from '../../src/scheduler/candidates.ts';
import { decide, withApplied } from '../../src/scheduler/decide.ts';
import { waitingReasons } from '../../src/scheduler/explain.ts';
import { FEATURE_COUNT, featuresOf } from '../../src/scheduler/features.ts';
import { MAX_PLACEMENTS } from '../../src/scheduler/placements.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import type { Policy, PolicyChoice } from '../../src/scheduler/policy.ts';
import { recordedCandidates } from '../../src/scheduler/recorded.ts';
import {
  DEFAULT_LIMITS,
  type RunningJob,
  type ShieldLimits,
  type Snapshot,
  type WaitingJob,
} from '../../src/scheduler/snapshot.ts';
import { limitsArbitrary, snapshotArbitrary } from './arbitraries.ts';

type Launch = Extract<Action, { kind: 'launch' }>;
/** From when on a job goes first: it has waited too long, or has a deadline to meet. */
const firstFromMs = (job: WaitingJob, limits: ShieldLimits): number =>
  Math.min(job.waitingSinceMs + limits.starvationAgeS * 1000, job.urgentSinceMs ?? Number.POSITIVE_INFINITY);
/** Rules that put jobs in an order: what they strike out might fit. */
const ORDERING: readonly string[] = ['owner-order', 'starvation', 'deadline'];
const RUNS = { numRuns: 400 };

const random: Policy = {
  name: 'random',
  version: '1',
  choose: ({ candidates, rng }) => ({
    index: randomInt(rng, candidates.length),
    scores: null,
    epsilon: 1,
    explored: true,
    features: null,
  }),
};

/** Launches at random until the policy waits; calls `onLaunch` with the snapshot before each launch. */
function epoch(
  start: Snapshot,
  limits: ShieldLimits,
  seed: number,
  onLaunch: (before: Snapshot, action: Launch) => void,
): Snapshot {
  const rng = seededRng(seed);
  let current = start;
  for (;;) {
    const { chosen } = decide({
      snapshot: current,
      policy: random,
      heuristic: heuristicByName('fifo'),
      rng,
      limits,
    });
    // A policy that does not say otherwise is offered nothing else.
    if (chosen.kind !== 'launch') return current;
    onLaunch(current, chosen);
    current = withApplied(current, chosen);
  }
}

const sharesWithNobody = (job: RunningJob | WaitingJob) => job.exclusive || job.vramMib === null;

/** The rules of memory and exclusivity, written apart from the code under test. */
function expectLawful(before: Snapshot, action: Launch, limits: ShieldLimits): void {
  const job = before.waiting.find(({ id }) => id === action.jobId) as WaitingJob;
  const size = new Set(action.deviceIds).size;
  expect(size).toBe(action.deviceIds.length);
  expect(size).toBeGreaterThanOrEqual(job.minGpus);
  expect(size).toBeLessThanOrEqual(job.maxGpus);
  if (job.gpus === 0) {
    expect(before.running.filter(({ gpus }) => gpus === 0).length).toBeLessThan(before.cpuSlots);
  }
  for (const id of action.deviceIds) {
    const device = before.devices.find((d) => d.id === id)!;
    const residents = before.running.filter(({ deviceIds }) => deviceIds.includes(id));
    expect(device.usable).toBe(true);
    const foreignMib = device.foreignMib as number;
    expect(foreignMib).not.toBeNull();
    const active = residents.filter(({ pausedBy }) => pausedBy !== 'scheduler');
    if (active.length > 0) {
      expect([job, ...active].some(sharesWithNobody)).toBe(false);
      expect(active.length).toBeLessThan(limits.mostPerDevice);
    }
    // Who gave way holds memory: how much must be known, of everybody.
    if (residents.length > 0) expect([job, ...residents].some(({ vramMib }) => vramMib === null)).toBe(false);
    const declared = [job, ...residents].reduce((sum, { vramMib }) => sum + (vramMib ?? 0), 0);
    const margin =
      residents.length > 0 || (foreignMib > 0 && job.vramMib !== null) ? limits.memoryMarginMib : 0;
    expect(foreignMib + declared + margin).toBeLessThanOrEqual(device.memoryTotalMib);
    if (job.vramMib === null) expect(foreignMib).toBeLessThanOrEqual(0.1 * device.memoryTotalMib);
  }
}

/** A lawful launch exists, found by trying all devices one by one. */
function couldStart(snapshot: Snapshot, job: WaitingJob, limits: ShieldLimits): boolean {
  if (job.gpus === 0) {
    return snapshot.running.filter(({ gpus }) => gpus === 0).length < snapshot.cpuSlots;
  }
  const alone = { ...job, gpus: 1, minGpus: 1, maxGpus: 1 };
  const good = snapshot.devices.filter(({ id }) => {
    try {
      const only = { ...snapshot, waiting: [alone] };
      expectLawful(only, { kind: 'launch', jobId: job.id, deviceIds: [id] }, limits);
      return true;
    } catch {
      return false;
    }
  });
  return good.length >= job.minGpus;
}

describe('whatever the machine and the queue', () => {
  it('every waiting job keeps a candidate, few each, and wait stands last', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, (snapshot, limits) => {
        const candidates = candidatesOf(snapshot, limits);
        const counts = new Map<number, number>();
        for (const { action } of candidates) {
          if (action.kind !== 'launch') continue;
          const { jobId } = action;
          counts.set(jobId, (counts.get(jobId) ?? 0) + 1);
        }
        expect([...counts.keys()]).toEqual(snapshot.waiting.map(({ id }) => id));
        for (const { id, minGpus, maxGpus } of snapshot.waiting) {
          expect(counts.get(id)).toBeLessThanOrEqual(MAX_PLACEMENTS + maxGpus - minGpus);
        }
        expect(candidates.at(-1)?.action).toEqual({ kind: 'wait' });
        const unique = new Set(candidates.map(({ action }) => JSON.stringify(action)));
        expect(unique.size).toBe(candidates.length);
      }),
      RUNS,
    );
  });

  it('nothing is over-committed, whatever is launched in whatever order', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, fc.nat(), (snapshot, limits, seed) => {
        epoch(snapshot, limits, seed, (before, action) => expectLawful(before, action, limits));
      }),
      RUNS,
    );
  });

  it('what could start is allowed, unless the owner or starvation is in the way', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, (snapshot, limits) => {
        for (const { action, vetoes } of candidatesOf(snapshot, limits)) {
          if (action.kind !== 'launch') continue;
          const job = snapshot.waiting.find(({ id }) => id === action.jobId) as WaitingJob;
          const hard = vetoes.filter(({ rule }) => !ORDERING.includes(rule));
          if (!vetoes.some(({ rule }) => ORDERING.includes(rule))) {
            expect(hard.length === 0).toBe(couldStart(snapshot, job, limits));
          }
        }
      }),
      RUNS,
    );
  });

  it('something is always allowed, and wait is unless a starving job fits', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, (snapshot, limits) => {
        const candidates = candidatesOf(snapshot, limits);
        expect(candidates.some(({ vetoes }) => vetoes.length === 0)).toBe(true);
        const starving = snapshot.waiting.filter((job) => firstFromMs(job, limits) < snapshot.nowMs);
        if (candidates.at(-1)?.vetoes.length) {
          expect(starving.some((job) => couldStart(snapshot, job, limits))).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('the oldest starving job, when it fits and nobody was moved, is the only one allowed', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, (moved, limits) => {
        const snapshot = { ...moved, waiting: moved.waiting.map((job) => ({ ...job, moved: false })) };
        const [oldest] = snapshot.waiting.toSorted((a, b) => firstFromMs(a, limits) - firstFromMs(b, limits));
        fc.pre(oldest !== undefined && couldStart(snapshot, oldest, limits));
        fc.pre(firstFromMs(oldest, limits) < snapshot.nowMs);
        const ids = candidatesOf(snapshot, limits)
          .filter(({ vetoes }) => vetoes.length === 0)
          .map(({ action }) => (action.kind === 'wait' ? 'wait' : action.jobId));
        expect(new Set(ids)).toEqual(new Set([oldest.id]));
      }),
      { numRuns: 100 },
    );
  });

  it('a starving job that must wait keeps enough devices, untouched by any other launch', () => {
    fc.assert(
      fc.property(snapshotArbitrary, fc.nat(), (moved, seed) => {
        const limits = { ...DEFAULT_LIMITS, starvationAgeS: 600 };
        const waiting = moved.waiting.map((job) => ({
          ...job,
          moved: false,
          minGpus: job.gpus,
          maxGpus: job.gpus,
        }));
        const snapshot = { ...moved, waiting };
        const drained = { ...snapshot, running: [] };
        // The oldest whom draining helps: an older one that fits now could come to need devices itself.
        const keeper = waiting
          .filter((job) => firstFromMs(job, limits) < snapshot.nowMs && job.gpus > 0)
          .toSorted((a, b) => firstFromMs(a, limits) - firstFromMs(b, limits))
          .find((job) => couldStart(drained, job, limits));
        fc.pre(keeper !== undefined && !couldStart(snapshot, keeper, limits));
        const touched = new Set<string>();
        epoch(snapshot, limits, seed, (_, action) => {
          for (const id of action.deviceIds) touched.add(id);
        });
        const untouched = snapshot.devices.filter(({ id }) => !touched.has(id));
        expect(couldStart({ ...drained, devices: untouched }, keeper, limits)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('nobody passes a moved job while it fits, where none goes first for its wait or its deadline', () => {
    fc.assert(
      fc.property(snapshotArbitrary, fc.nat(), (urgent, seed) => {
        const snapshot = {
          ...urgent,
          waiting: urgent.waiting.map((job) => ({ ...job, urgentSinceMs: null })),
        };
        const limits = { ...DEFAULT_LIMITS, starvationAgeS: 1e9 };
        epoch(snapshot, limits, seed, (before, action) => {
          const at = before.waiting.findIndex(({ id }) => id === action.jobId);
          const passed = before.waiting.slice(0, at).filter((job) => job.moved);
          expect(passed.filter((job) => couldStart(before, job, limits))).toEqual([]);
        });
      }),
      RUNS,
    );
  });

  it('no nonsense of a policy escapes', () => {
    const nonsense = fc.oneof(
      fc.anything() as fc.Arbitrary<PolicyChoice>,
      fc.record({
        index: fc.oneof(fc.double(), fc.integer({ min: -2, max: 30 })),
        scores: fc.option(fc.array(fc.double(), { maxLength: 30 })),
        epsilon: fc.option(fc.double()),
        explored: fc.boolean(),
        features: fc.constant(null),
      }),
    );
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, nonsense, (snapshot, limits, answer) => {
        const policy: Policy = { name: 'odd', version: '0', choose: () => answer };
        const heuristic = heuristicByName('priority');
        const step = decide({ snapshot, policy, heuristic, rng: seededRng(1), limits });
        expect(step.allowedActions).toContain(step.chosen);
        expect(step.allowedActions).toContain(step.heuristicAction);
        if (step.fallback) expect(step.chosen).toBe(step.heuristicAction);
        for (const score of step.scores) expect(score === null || Number.isFinite(score)).toBe(true);
        expect(step.sentence).toMatch(/^started /);
        const { chosen, candidates } = recordedCandidates(step);
        expect(candidates[chosen]?.action).toEqual(step.chosen);
      }),
      RUNS,
    );
  });

  it('the same input gives the same decision, and leaves the input as it was', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, fc.nat(), (snapshot, limits, seed) => {
        const before = structuredClone(snapshot);
        const run = () =>
          decide({
            snapshot,
            policy: random,
            heuristic: heuristicByName('fifo'),
            rng: seededRng(seed),
            limits,
          });
        expect(run()).toEqual(run());
        expect(snapshot).toEqual(before);
      }),
      { numRuns: 150 },
    );
  });

  it('features have their shape and bounds', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, (snapshot, limits) => {
        const actions = candidatesOf(snapshot, limits).map(({ action }) => action);
        const features = featuresOf(snapshot, actions);
        expect(features).toHaveLength(actions.length * FEATURE_COUNT);
        expect(features.every((value) => value >= -1 && value <= 3)).toBe(true);
      }),
      RUNS,
    );
  });

  it('every waiting job has a reason, which is its first veto', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, (snapshot, limits) => {
        const reasons = waitingReasons(snapshot, limits);
        expect([...reasons.keys()]).toEqual(snapshot.waiting.map(({ id }) => id));
        for (const { action, vetoes } of candidatesOf(snapshot, limits)) {
          if (action.kind === 'wait' || vetoes.length === 0) continue;
          expect(reasons.get(action.jobId)).toBe(vetoes[0]?.reason);
        }
      }),
      RUNS,
    );
  });

  it('an epoch ends', () => {
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, fc.nat(), (snapshot, limits, seed) => {
        const after = epoch(snapshot, limits, seed, () => undefined);
        expect(after.waiting.length + after.running.length).toBe(
          snapshot.waiting.length + snapshot.running.length,
        );
      }),
      RUNS,
    );
  });
});
