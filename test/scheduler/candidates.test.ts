import { describe, expect, it } from 'vitest';
import { allowedIn, device, GIB, running, snapshot, vetoedIn, waiting } from './build.ts';

describe('candidates', () => {
  it('offers wait alone when nobody waits', () => {
    expect(allowedIn(snapshot())).toEqual(['wait']);
  });

  it('offers one placement for like devices, the lowest index first, and wait last', () => {
    const devices = [device(1), device(0), device(2)];
    expect(allowedIn(snapshot({ devices, waiting: [waiting(1), waiting(2)] }))).toEqual([
      '1>g0',
      '2>g0',
      'wait',
    ]);
  });

  it('puts the tightest empty device first, then sharing', () => {
    const devices = [device(0), device(1, { memoryTotalMib: 8 * GIB }), device(2)];
    const snap = snapshot({ devices, waiting: [waiting(1)], running: [running(9, ['g2'])] });
    expect(allowedIn(snap)).toEqual(['1>g1', '1>g0', '1>g2', 'wait']);
  });

  it('caps placements per job, never per queue, and keeps one that shares', () => {
    const devices = Array.from({ length: 8 }, (_, i) => device(i, { memoryTotalMib: (10 + i) * GIB }));
    const jobs = Array.from({ length: 300 }, (_, i) => waiting(i + 1));
    const allowed = allowedIn(snapshot({ devices, waiting: jobs, running: [running(999, ['g0'])] }));
    expect(allowed.slice(0, 4)).toEqual(['1>g1', '1>g2', '1>g3', '1>g0']);
    expect(allowed).toHaveLength(300 * 4 + 1);
  });

  it('gives several GPUs in sets that begin at each class, ascending by index', () => {
    const big = { memoryTotalMib: 48 * GIB };
    const devices = [device(0, big), device(1, big), device(2), device(3), device(4)];
    const snap = snapshot({ devices, waiting: [waiting(1, { gpus: 2 }), waiting(2, { gpus: 4 })] });
    expect(allowedIn(snap)).toEqual(['1>g2+g3', '1>g0+g1', '2>g0+g2+g3+g4', '2>g0+g1+g2+g3', 'wait']);
  });

  it('launches CPU-only jobs on no device, as many at once as there are slots', () => {
    const cpu = { gpus: 0, vramMib: null };
    const jobs = [waiting(1, cpu), waiting(2)];
    expect(allowedIn(snapshot({ devices: [], waiting: jobs }))).toEqual(['1>', 'wait']);
    const full = snapshot({
      waiting: jobs,
      running: [running(8, []), running(9, [], { pausedBy: 'person' })],
    });
    expect(allowedIn(full)).toEqual(['2>g0', 'wait']);
    expect(vetoedIn(full)).toEqual({ '1>': ['capacity: all 2 CPU-only slots are taken'] });
  });
});

describe('memory', () => {
  const one = (change: Parameters<typeof device>[1] = {}) => [device(0, change)];

  it('shares while foreign, declared, the new job and the margin fit, to the MiB', () => {
    const others = [running(8, ['g0'], { vramMib: 10 * GIB })];
    const devices = one({ foreignMib: 1 * GIB });
    const fits = 24 * GIB - 10 * GIB - 1 * GIB - 256;
    const at = (vramMib: number) =>
      snapshot({ devices, running: others, waiting: [waiting(1, { vramMib })] });
    expect(allowedIn(at(fits))).toEqual(['1>g0', 'wait']);
    expect(allowedIn(at(fits + 1))).toEqual(['wait']);
    expect(vetoedIn(at(fits + 1))['1>g0']).toEqual([
      'memory: GPU memory: needs 12.8 GiB, most free is 12.8 GiB on GPU 0',
    ]);
  });

  it('asks for the margin only beside somebody', () => {
    const whole = waiting(1, { vramMib: 24 * GIB });
    expect(allowedIn(snapshot({ devices: one(), waiting: [whole] }))).toEqual(['1>g0', 'wait']);
    const some = waiting(1, { vramMib: 24 * GIB - 200 });
    expect(vetoedIn(snapshot({ devices: one({ foreignMib: 8 }), waiting: [some] }))).toEqual({
      '1>g0': ["memory: GPU 0 holds 8 MiB of others' processes"],
    });
  });

  it.each([
    ['unknown memory', { vramMib: null }],
    ['exclusive', { exclusive: true }],
  ])('gives a job with %s its device to itself, both ways', (_, change) => {
    const beside = snapshot({ devices: one(), running: [running(8, ['g0'])], waiting: [waiting(1, change)] });
    expect(vetoedIn(beside)).toEqual({ '1>g0': ['capacity: needs a GPU, none is free'] });
    const resident = snapshot({
      devices: one(),
      running: [running(8, ['g0'], change)],
      waiting: [waiting(1)],
    });
    expect(vetoedIn(resident)).toEqual({ '1>g0': ['capacity: needs a GPU, none is free'] });
    const empty = snapshot({ devices: one(), waiting: [waiting(1, change)] });
    expect(allowedIn(empty)).toEqual(['1>g0', 'wait']);
  });

  it('lets a job of unknown memory bear a desktop, but no other training', () => {
    const at = (foreignMib: number) =>
      snapshot({ devices: one({ foreignMib }), waiting: [waiting(1, { vramMib: null })] });
    expect(allowedIn(at(0.1 * 24 * GIB))).toEqual(['1>g0', 'wait']);
    expect(vetoedIn(at(11.2 * GIB))).toEqual({
      '1>g0': ["memory: GPU 0 holds 11.2 GiB of others' processes"],
    });
  });

  it('counts a paused job: it still holds its device', () => {
    const held = running(8, ['g0'], { vramMib: null, pausedBy: 'person' });
    expect(allowedIn(snapshot({ devices: one(), running: [held], waiting: [waiting(1)] }))).toEqual(['wait']);
  });

  it('says when no GPU is ever large enough', () => {
    const huge = waiting(1, { vramMib: 80 * GIB });
    const mixed = [device(0), device(1, { memoryTotalMib: 96 * GIB })];
    expect(vetoedIn(snapshot({ waiting: [huge] }))['1>g0']).toEqual([
      'memory: GPU memory: needs 80 GiB, the largest GPU has 24 GiB',
    ]);
    expect(vetoedIn(snapshot({ devices: mixed, waiting: [{ ...huge, gpus: 2 }] }))['1>g0+g1']).toEqual([
      'memory: GPU memory: needs 80 GiB on each of 2 GPUs, only one GPU has that much',
    ]);
  });
});

describe('health and capacity', () => {
  it.each([
    ['unusable', { usable: false }],
    ['of unknown use', { foreignMib: null }],
  ])('puts nothing on a device that is %s', (_, change) => {
    const devices = [device(0, change), device(1)];
    const jobs = [waiting(1), waiting(2, { gpus: 2 })];
    expect(allowedIn(snapshot({ devices, waiting: jobs }))).toEqual(['1>g1', 'wait']);
    expect(vetoedIn(snapshot({ devices, waiting: jobs }))).toEqual({
      '2>g0+g1': ['device-health: needs 2 GPUs, but GPU 0 cannot be read'],
    });
    expect(vetoedIn(snapshot({ devices: devices.slice(0, 1), waiting: [waiting(1)] }))).toEqual({
      '1>g0': ['device-health: GPU 0 cannot be read'],
    });
  });

  it('keeps a vetoed candidate for a job that can never run here', () => {
    expect(vetoedIn(snapshot({ waiting: [waiting(1, { gpus: 4 })] }))).toEqual({
      '1>g0+g1': ['capacity: needs 4 GPUs, this machine has 2'],
    });
    expect(vetoedIn(snapshot({ devices: [], waiting: [waiting(1)] }))).toEqual({
      '1>': ['capacity: needs a GPU, this machine has none'],
    });
  });

  it('counts what is free', () => {
    const snap = snapshot({
      waiting: [waiting(1, { gpus: 2, vramMib: null })],
      running: [running(8, ['g0'])],
    });
    expect(vetoedIn(snap)).toEqual({ '1>g0+g1': ['capacity: needs 2 GPUs, 1 is free'] });
  });
});
