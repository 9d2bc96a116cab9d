import { expect, it } from 'vitest';
import type { Action } from '../../src/domain/decision.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { firstFit } from '../../src/scheduler/policies/firstFit.ts';
import { amongAll } from '../../src/scheduler/policies/launching.ts';
import type { Snapshot } from '../../src/scheduler/snapshot.ts';

const chosen = (candidates: readonly Action[]): Action => {
  const { index } = amongAll(firstFit).choose({
    snapshot: { nowMs: 0, devices: [], waiting: [], running: [] } as unknown as Snapshot,
    candidates,
    history: [],
    rng: seededRng(1),
  });
  return candidates[index]!;
};
const launch: Action = { kind: 'launch', jobId: 1, deviceIds: ['a'] };
const wait: Action = { kind: 'wait' };

it('lets go on first what another policy made stand still, and leaves alone what runs', () => {
  expect(chosen([launch, { kind: 'resume', jobId: 2 }, wait])).toEqual({ kind: 'resume', jobId: 2 });
  expect(chosen([launch, { kind: 'preempt', jobId: 2 }, wait])).toEqual(launch);
  expect(chosen([{ kind: 'pause', jobId: 2 }, wait])).toEqual(wait);
});
