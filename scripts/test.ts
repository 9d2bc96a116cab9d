// `npm test`: checks, then unit, engine and end-to-end tests. What the tests need beyond npm is installed first.
// With arguments, runs only the tests that they select: npm test -- test/engine/jobs.test.ts
import { installNeeds, TEST_NEEDS } from './lib/needs.ts';
import { run } from './lib/run.ts';

const missing = installNeeds(TEST_NEEDS);
if (missing.length > 0) {
  console.error(`The tests need more than npm gives:\n${missing.map((line) => `  ${line}`).join('\n')}`);
  process.exit(1);
}
const selected = process.argv.slice(2);
const stages: [string, string[]][] = [
  ['node', ['scripts/build.ts', '--if-stale']],
  ['vitest', ['run', ...selected]],
];
if (selected.length === 0) stages.unshift(['node', ['scripts/check.ts']]);
for (const [command, args] of stages) {
  const status = await run(command, args);
  if (status !== 0) process.exit(status);
}
