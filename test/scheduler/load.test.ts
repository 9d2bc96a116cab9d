import { expect, it } from 'vitest';
import { costRates } from '../../src/domain/reward.ts';
import { loadOf } from '../../src/scheduler/load.ts';
import { device, running, snapshot, waiting } from './build.ts';

it('counts idle only what is readable and held by no job of ours, and every user with work', () => {
  const load = loadOf(
    snapshot({
      devices: [
        device(0),
        device(1),
        device(2, { usable: false }),
        device(3, { foreignMib: null }),
        device(4),
      ],
      running: [running(8, ['g0', 'g1']), running(9, ['g0'], { user: 'bob' })],
      waiting: [waiting(1, { gpus: 2, user: 'cleo' }), waiting(2, { gpus: 0, priority: 10 })],
      serviceByUser: { ada: 30, bob: 10, gone: 99 },
    }),
  );
  expect(load).toEqual({
    waiting: 2,
    running: 2,
    weight: 5,
    devices: 5,
    idleDevices: 1,
    waitingGpus: 2,
    serviceByUser: [30, 10, 0],
  });
  expect(costRates(load).utilisation).toBe(0.2);
});
