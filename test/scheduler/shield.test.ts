import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/scheduler/snapshot.ts';
import { allowedIn, device, NOW_MS, running, snapshot, vetoedIn, waiting } from './build.ts';

const HOUR_MS = 3_600_000;
const since = (hours: number) => ({ waitingSinceMs: NOW_MS - hours * HOUR_MS });
const whole = { vramMib: null };

describe("the owner's order", () => {
  it('lets nobody behind a moved job start before it while it fits', () => {
    const jobs = [waiting(1), waiting(7, { moved: true }), waiting(2), waiting(3, { gpus: 0 })];
    const snap = snapshot({ waiting: jobs });
    expect(allowedIn(snap)).toEqual(['1>g0', '7>g0', 'wait']);
    expect(vetoedIn(snap)).toEqual({
      '2>g0': ['owner-order: behind #7, which you moved'],
      '3>': ['owner-order: behind #7, which you moved'],
    });
  });

  it('does not hold the queue for a moved job that does not fit', () => {
    const jobs = [waiting(7, { moved: true, gpus: 2, ...whole }), waiting(2)];
    expect(allowedIn(snapshot({ waiting: jobs, running: [running(9, ['g0'], whole)] }))).toEqual([
      '2>g1',
      'wait',
    ]);
  });

  it('takes moved jobs in the order in which a person put them', () => {
    const jobs = [waiting(7, { moved: true }), waiting(5, { moved: true })];
    expect(allowedIn(snapshot({ waiting: jobs }))).toEqual(['7>g0', 'wait']);
  });
});

describe('a job that is kept to devices', () => {
  it('starts on no other, however much room there is, and says so', () => {
    const snap = snapshot({ waiting: [waiting(1, { ...whole, pinnedTo: ['g1'] }), waiting(2, whole)] });
    expect(allowedIn(snap)).toEqual(['1>g1', '2>g0', 'wait']);
    const taken = { ...snap, running: [running(9, ['g1'], whole)] };
    expect(allowedIn(taken)).toEqual(['2>g0', 'wait']);
    expect(vetoedIn(taken)).toEqual({
      '1>g0': ['reservation: GPU 0: not for it, you keep it to GPU 1'],
    });
    const gone = snapshot({ waiting: [waiting(1, { pinnedTo: ['old'] })] });
    expect(vetoedIn(gone)).toEqual({
      '1>g0': ['reservation: GPUs 0 and 1: not for it, you keep it to GPU old'],
    });
  });

  it('is forced and kept room for, when it has starved, on its own devices alone', () => {
    const jobs = [waiting(1, { ...since(9), ...whole, pinnedTo: ['g1'] }), waiting(2, whole)];
    expect(allowedIn(snapshot({ waiting: jobs }))).toEqual(['1>g1']);
    const taken = snapshot({ waiting: jobs, running: [running(9, ['g1'], whole)] });
    expect(allowedIn(taken)).toEqual(['2>g0', 'wait']);
  });
});

describe('starvation', () => {
  it('demands the launch of the oldest starving job that fits', () => {
    const jobs = [waiting(1, since(7)), waiting(2, since(9)), waiting(3)];
    const snap = snapshot({ waiting: jobs });
    expect(allowedIn(snap)).toEqual(['2>g0']);
    const reason = ['starvation: #2 has waited longest and goes first'];
    expect(vetoedIn(snap)).toEqual({ '1>g0': reason, '3>g0': reason, wait: reason });
  });

  it('begins only after the age that the owner set', () => {
    const snap = snapshot({ waiting: [waiting(1, since(6)), waiting(2)] });
    expect(allowedIn(snap)).toEqual(['1>g0', '2>g0', 'wait']);
    expect(allowedIn(snap, { ...DEFAULT_LIMITS, starvationAgeS: 6 * 3600 - 1, memoryMarginMib: 0 })).toEqual([
      '1>g0',
    ]);
  });

  it('breaks a tie by rank', () => {
    expect(allowedIn(snapshot({ waiting: [waiting(4, since(9)), waiting(2, since(9))] }))).toEqual(['4>g0']);
  });

  it('keeps the devices that are free soonest for one that does not fit', () => {
    const spread = (p50S: number) => ({ ...whole, remaining: { p10S: 1, p50S, p90S: 9000 } });
    const devices = [device(0), device(1), device(2), device(3)];
    const snap = snapshot({
      devices,
      running: [
        running(9, ['g0'], spread(900)),
        running(8, ['g1'], spread(20)),
        running(7, ['g2'], { remaining: { p10S: 1, p50S: 500, p90S: 9000 } }),
      ],
      waiting: [waiting(1, { gpus: 2, ...whole, ...since(7) }), waiting(2), waiting(3, { gpus: 0 })],
    });
    // g3 is empty and g1 is next: both are kept. Sharing g2, and CPU-only jobs, remain.
    expect(allowedIn(snap)).toEqual(['2>g2', '3>', 'wait']);
    expect(vetoedIn({ ...snap, running: snap.running.slice(0, 2), devices: devices.slice(0, 2) })).toEqual({
      '1>g0+g1': ['capacity: needs 2 GPUs, none is free'],
      '2>g0': ['capacity: needs a GPU, none is free'],
    });
    const filled = { ...snap, running: snap.running.map((job) => ({ ...job, ...whole })) };
    expect(vetoedIn(filled)['2>g3']).toEqual(['starvation: #1 has waited longest: GPUs 1 and 3 kept for it']);
  });

  it('takes devices with paused or unpredictable jobs last', () => {
    const devices = [device(0), device(1), device(2)];
    const snap = snapshot({
      devices,
      running: [
        running(9, ['g0'], { ...whole, pausedBy: 'person', remaining: { p10S: 1, p50S: 2, p90S: 3 } }),
        running(8, ['g1'], { remaining: { p10S: 1, p50S: 9000, p90S: 9999 } }),
      ],
      waiting: [waiting(1, { gpus: 2, ...whole, ...since(7) }), waiting(2)],
    });
    expect(allowedIn(snap)).toEqual(['wait']);
  });

  it('lets nobody be paused on devices that are kept, for nobody else could use them meanwhile', () => {
    const at = (id: number, place: string, restartable: boolean) =>
      running(id, [place], { exclusive: true, restartable, remaining: { p10S: 1, p50S: id, p90S: 30 } });
    const limits = { ...DEFAULT_LIMITS, minSpellS: 0, mayPause: true };
    const others = [at(10, 'g0', false), at(11, 'g1', false)];
    const jobs = [waiting(1, { exclusive: true, ...since(7) }), waiting(2, { exclusive: true })];
    // g0 is kept, since it is free soonest.
    expect(allowedIn(snapshot({ running: others, waiting: jobs }), limits)).toEqual(['pause 11', 'wait']);
    const fresh = jobs.map((job) => ({ ...job, ...since(0) }));
    expect(allowedIn(snapshot({ running: others, waiting: fresh }), limits)).toEqual([
      'pause 10',
      'pause 11',
      'wait',
    ]);
    const stoppable = [at(10, 'g0', true), at(11, 'g1', true)];
    expect(allowedIn(snapshot({ running: stoppable, waiting: jobs }), limits)).toEqual([
      'preempt 10',
      'preempt 11',
      'wait',
    ]);
  });

  it('keeps nothing for a job that our own draining would not help', () => {
    const devices = [device(0, { foreignMib: 20_000 }), device(1)];
    const jobs = [waiting(1, { gpus: 2, ...since(7) }), waiting(2)];
    const of = (gpus: number) => ({ devices, waiting: [{ ...jobs[0]!, gpus, vramMib: 8000 }, jobs[1]!] });
    expect(allowedIn(snapshot(of(2)))).toEqual(['2>g1', '2>g0', 'wait']);
    // One that does drain is kept for it.
    const busy = { ...of(1), running: [running(9, ['g1'], { vramMib: 20_000 })] };
    expect(
      allowedIn(snapshot({ ...busy, waiting: [busy.waiting[0]!, { ...jobs[1]!, vramMib: 2000 }] })),
    ).toEqual(['2>g0', 'wait']);
  });

  it('lets a younger starving job start outside what is kept', () => {
    const snap = snapshot({
      devices: [device(0), device(1), device(2)],
      running: [
        running(9, ['g0'], { ...whole, remaining: { p10S: 1, p50S: 5, p90S: 9 } }),
        running(8, ['g1']),
      ],
      waiting: [waiting(1, { gpus: 2, ...whole, ...since(9) }), waiting(2, since(8)), waiting(3)],
    });
    // Kept: g2 (empty) and g0 (5 s). #2 may share g1, and must.
    expect(allowedIn(snap)).toEqual(['2>g1']);
  });

  it('yields to what a person moved ahead, and to nothing moved behind', () => {
    const ahead = [waiting(7, { moved: true }), waiting(1, since(9)), waiting(2)];
    expect(allowedIn(snapshot({ waiting: ahead }))).toEqual(['7>g0']);
    const behind = [waiting(1, since(9)), waiting(7, { moved: true })];
    expect(allowedIn(snapshot({ waiting: behind }))).toEqual(['1>g0']);
  });

  it('does not keep devices from a job that a person moved ahead', () => {
    const wide = waiting(1, { gpus: 2, ...whole, ...since(9) });
    const jobs = [waiting(7, { moved: true }), wide, waiting(2)];
    expect(allowedIn(snapshot({ waiting: jobs, running: [running(9, ['g0'], whole)] }))).toEqual([
      '7>g1',
      'wait',
    ]);
  });
});

describe('a deadline', () => {
  const urgent = { urgentSinceMs: NOW_MS - 60_000 };

  it('puts a job first once it must start to be over in time', () => {
    const snap = snapshot({ waiting: [waiting(1), waiting(2, urgent)] });
    expect(allowedIn(snap)).toEqual(['2>g0']);
    expect(vetoedIn(snap)['1>g0']).toEqual(['deadline: #2 has a deadline to meet and goes first']);
    const early = { urgentSinceMs: NOW_MS + 1 };
    expect(allowedIn(snapshot({ waiting: [waiting(1), waiting(2, early)] }))).toEqual([
      '1>g0',
      '2>g0',
      'wait',
    ]);
  });

  it('and starvation go by who has been first in line for longest', () => {
    const jobs = [waiting(1, since(6.1)), waiting(2, { urgentSinceMs: NOW_MS - HOUR_MS })];
    expect(allowedIn(snapshot({ waiting: jobs }))).toEqual(['2>g0']);
    expect(allowedIn(snapshot({ waiting: [waiting(1, since(8)), jobs[1]!] }))).toEqual(['1>g0']);
  });

  it('keeps devices for a job that does not fit yet', () => {
    const left = { remaining: { p10S: 1, p50S: 20, p90S: 90 } };
    const snap = snapshot({
      running: [running(9, ['g0'], { ...whole, ...left })],
      waiting: [waiting(1, { gpus: 2, ...whole, ...urgent }), waiting(2)],
    });
    expect(vetoedIn(snap)['2>g1']).toEqual(['deadline: #1 has a deadline to meet: GPUs 0 and 1 kept for it']);
  });
});
