import { expect, it } from 'vitest';
import { FAULTS } from '../../scripts/chaos/faults.ts';
import { chaos } from '../../scripts/chaos/rounds.ts';

// The short form of `npm run chaos`: each fault once, with real processes. docs/chaos.md has the long one.
it.each(FAULTS)('survives $name: $how', { timeout: 300_000 }, async ({ name, unavailable }) => {
  const why = unavailable();
  if (why !== null) {
    console.log(`not done: ${name} (${why})`);
    return;
  }
  const report = await chaos({ rounds: 1, seed: 20, only: [name] }, () => undefined);
  expect(report.details).toEqual([]);
  expect(report.tallies).toMatchObject([{ fault: name, rounds: 1 }]);
});
