import { expect, it, vi } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { LIVE_AGENT } from '../../src/learning/agent.ts';
import type { WorkerMessage } from '../../src/learning/learnerMessages.ts';
import { Trainer } from '../../src/learning/trainer.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../src/scheduler/features.ts';
import { encodeWeights, initialWeights } from '../../src/scheduler/network.ts';

it('offers to sleep for what it had heard when it began to pack, not for what came meanwhile', async () => {
  const said: WorkerMessage[] = [];
  const trainer = await Trainer.create(
    {
      weights: encodeWeights(initialWeights(seededRng(1), FEATURE_COUNT, [8]), FEATURE_NAMES),
      trainSteps: 5,
      config: LIVE_AGENT,
      backend: 'wasm',
      asleep: null,
      cpuShare: 1,
    },
    (message) => said.push(message),
  );
  // Damaged, and paid for all the same.
  const transition = { kind: 'new', blob: new Uint8Array(3) } as const;
  trainer.hear(transition);
  trainer.hear({ kind: 'sleep' });
  trainer.hear(transition);
  await vi.waitFor(() => expect(said.at(-1)).toMatchObject({ kind: 'sleepy', heard: 1 }));
  trainer.hear({ kind: 'sleep' });
  await vi.waitFor(() => expect(said.at(-1)).toMatchObject({ kind: 'sleepy', heard: 2 }));
  expect(said.at(-1)).toMatchObject({ state: { owedSteps: 8, agent: { trainSteps: 5 } } });
});
