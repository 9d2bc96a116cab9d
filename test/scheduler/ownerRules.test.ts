import { describe, expect, it } from 'vitest';
import { remedyIn } from '../../src/domain/foreignRemedy.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { decide } from '../../src/scheduler/decide.ts';
import { waitingReasons } from '../../src/scheduler/explain.ts';
import { pack } from '../../src/scheduler/policies/pack.ts';
import { DEFAULT_LIMITS, type ForeignHold, pairKey, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { allowedIn, device, GIB, NOW_MS, running, snapshot, vetoedIn, waiting } from './build.ts';

const alice: ForeignHold = {
  who: "alice's python",
  pid: 4242,
  memoryMib: 11.2 * GIB,
  idle: '2 days',
  avoid: false,
  ignoredMib: 0,
};
const reasonOf = (snap: Snapshot, id: number) => waitingReasons(snap, DEFAULT_LIMITS).get(id);

describe("others' processes", () => {
  const shared = device(1, { foreignMib: 11.2 * GIB, foreign: alice });

  it('are named with what they hold and for how long they are idle, and with the way out', () => {
    const snap = snapshot({ devices: [shared], waiting: [waiting(1, { vramMib: null }), waiting(2)] });
    expect(allowedIn(snap)).toEqual(['2>g1', 'wait']);
    const reason = reasonOf(snap, 1)!;
    expect(reason).toBe(
      "11.2 GiB of GPU 1 is held by alice's python, idle for 2 days (stint device 1 --ignore 4242)",
    );
    expect(remedyIn(reason)).toEqual({ kind: 'ignore', index: 1, pid: 4242 });
  });

  it('keep every job away where the owner wants none beside them', () => {
    const avoided = { ...shared, foreign: { ...alice, avoid: true } };
    const snap = snapshot({ devices: [avoided], waiting: [waiting(1, { vramMib: 1 })] });
    expect(allowedIn(snap)).toEqual(['wait']);
    expect(vetoedIn(snap)['1>g1']).toEqual([
      "foreign: 11.2 GiB of GPU 1 is held by alice's python, idle for 2 days (stint device 1 --foreign share)",
    ]);
    expect(remedyIn(reasonOf(snap, 1)!)).toEqual({ kind: 'share', index: 1 });
  });

  it('that the owner does not mind keep nobody away, and their memory is still not free', () => {
    const ignored = { ...shared, foreign: { ...alice, ignoredMib: 11.2 * GIB } };
    const snap = snapshot({
      devices: [ignored],
      waiting: [waiting(1, { vramMib: null }), waiting(2, { vramMib: 13 * GIB })],
    });
    expect(allowedIn(snap)).toEqual(['1>g1', 'wait']);
    expect(remedyIn(reasonOf(snap, 2)!)).toBeNull();
  });
});

describe('a device that a rule closes', () => {
  const hot = device(0, { closed: { rule: 'temperature', reason: 'GPU 0 is too hot' } });

  it('takes nothing new, and says why where nothing else is left', () => {
    const snap = snapshot({ devices: [hot, device(1)], waiting: [waiting(1), waiting(2, { gpus: 2 })] });
    expect(allowedIn(snap)).toEqual(['1>g1', 'wait']);
    expect(vetoedIn(snap)['2>g0+g1']).toEqual(['temperature: needs 2 GPUs, but GPU 0 is too hot']);
  });

  it('lets nobody go on that gave way there', () => {
    const job = running(9, ['g0'], { pausedBy: 'scheduler' });
    expect(allowedIn(snapshot({ devices: [device(0)], running: [job] }))).toContain('resume 9');
    expect(allowedIn(snapshot({ devices: [hot], running: [job] }))).not.toContain('resume 9');
  });
});

describe('halts', () => {
  const quiet = { rule: 'quiet-hours', reason: 'quiet hours until 07:00', gpusOnly: true } as const;

  it('keep jobs from starting anywhere, but those of enough priority and those without a GPU', () => {
    const snap = snapshot({
      halts: [{ ...quiet, exceptPriority: 100 }],
      waiting: [waiting(1), waiting(2, { priority: 100 }), waiting(3, { gpus: 0 })],
    });
    expect(allowedIn(snap)).toEqual(['2>g0', '3>', 'wait']);
    expect(reasonOf(snap, 1)).toBe('quiet hours until 07:00');
  });

  it('stand above starvation', () => {
    const old = waiting(1, { waitingSinceMs: NOW_MS - 100 * 3600_000 });
    const snap = snapshot({
      halts: [{ rule: 'disk-space', reason: 'full', exceptPriority: null, gpusOnly: false }],
      waiting: [old, waiting(2, { gpus: 0 })],
    });
    expect(allowedIn(snap)).toEqual(['wait']);
  });
});

describe('a reserved device', () => {
  const from = (h: number) => [
    {
      id: 1,
      fromMs: NOW_MS + h * 3600_000,
      toMs: NOW_MS + (h + 2) * 3600_000,
      user: 'ada',
      reason: 'reserved for ada',
    },
  ];
  const lasting = (h: number) => ({ p10S: h * 1800, p50S: h * 3600, p90S: h * 7200 });

  it("takes its user's jobs alone while it lasts", () => {
    const snap = snapshot({
      devices: [device(0, { reservations: from(0) })],
      waiting: [waiting(1, { user: 'ben' }), waiting(2, { user: 'ada' })],
    });
    expect(allowedIn(snap)).toEqual(['2>g0', 'wait']);
    expect(vetoedIn(snap)['1>g0']).toEqual(['reservation: GPU 0: reserved for ada']);
  });

  it('takes before it only what will probably have ended, or of which nothing is known', () => {
    const snap = snapshot({
      devices: [device(0, { reservations: from(1) })],
      waiting: [
        waiting(1, { user: 'ben', remaining: lasting(2) }),
        waiting(2, { user: 'ben', remaining: lasting(0.5) }),
        waiting(3, { user: 'ben' }),
        waiting(4, { user: 'ada', remaining: lasting(2) }),
      ],
    });
    expect(allowedIn(snap)).toEqual(['2>g0', '3>g0', '4>g0', 'wait']);
    expect(reasonOf(snap, 1)).toBe('GPU 0: reserved for ada, and it would not have ended before');
  });

  it('leaves the others to everybody, and is not kept for whoever starves', () => {
    const starving = waiting(1, { user: 'ben', gpus: 2, waitingSinceMs: NOW_MS - 100 * 3600_000 });
    const snap = snapshot({
      devices: [device(0, { reservations: from(0) }), device(1)],
      waiting: [starving, waiting(2, { user: 'ben' }), waiting(3, { user: 'ada' })],
    });
    expect(allowedIn(snap)).toEqual(['2>g1', '3>g0', '3>g1', 'wait']);
  });

  it('is free again when it is over', () => {
    const snap = snapshot({
      devices: [device(0, { reservations: from(-3) })],
      waiting: [waiting(1, { user: 'ben' })],
    });
    expect(allowedIn(snap)).toEqual(['1>g0', 'wait']);
  });
});

describe('pack with measured pairs', () => {
  const busy = (speeds: Record<string, number> | undefined) =>
    snapshot({
      devices: [device(0)],
      running: [running(9, ['g0'], { kind: 'b' })],
      waiting: [waiting(1, { kind: 'a' })],
      ...(speeds === undefined ? {} : { interference: speeds }),
    });
  const chooses = (snap: Snapshot) =>
    decide({ snapshot: snap, policy: pack, heuristic: pack, rng: seededRng(1), limits: DEFAULT_LIMITS })
      .chosen.kind;

  it('shares where both keep their speed, and waits where they do not', () => {
    expect(chooses(busy({ [pairKey('a', 'b')]: 0.9, [pairKey('b', 'a')]: 0.9 }))).toBe('launch');
    expect(chooses(busy({ [pairKey('a', 'b')]: 0.5, [pairKey('b', 'a')]: 0.5 }))).toBe('wait');
    // One of the two was never measured: the rule of thumb.
    expect(chooses(busy({ [pairKey('a', 'b')]: 0.5 }))).toBe(chooses(busy(undefined)));
  });
});
