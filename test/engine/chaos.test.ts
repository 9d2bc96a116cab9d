import { expect, it } from 'vitest';
import { FAULTS } from '../../scripts/chaos/faults.ts';
import { chaos, type Tally } from '../../scripts/chaos/rounds.ts';

// The short form of `npm run chaos`: each fault once, with real processes. docs/chaos.md has the long one.
it.each(FAULTS)('survives $name: $how', { timeout: 300_000 }, async ({ name, unavailable }) => {
  const why = unavailable();
  if (why !== null) {
    console.log(`not done: ${name} (${why})`);
    return;
  }
  const report = await chaos({ rounds: 1, seed: 20, only: [name] }, () => undefined);
  expect(report.details).toEqual([]);
  const [{ fault, rounds, unarranged }] = report.tallies as [Tally];
  // Somebody else may be given a pid first: then it says so, and nothing was proved.
  if (unarranged > 0) console.log(`not arranged: ${name}`);
  expect({ fault, rounds: rounds + unarranged }).toEqual({ fault: name, rounds: 1 });
});
