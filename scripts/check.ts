// `npm run check`: everything that can be said about the code without running it.
import { run } from './lib/run.ts';

const CHECKS: readonly (readonly [what: string, command: string, args: readonly string[]])[] = [
  ['format and lint', 'biome', ['check', '.']],
  ['types, a configuration per layer', 'tsc', ['-b']],
  [
    'imports point one way',
    'depcruise',
    ['src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'],
  ],
  ['no dead code', 'knip', []],
];

let failed = 0;
for (const [what, command, args] of CHECKS) {
  console.log(`— ${what}`);
  if ((await run(command, args)) !== 0) failed++;
}
if (failed > 0) {
  console.error(
    `${failed} of ${CHECKS.length} checks failed; npm run format mends format and the simple lint`,
  );
  process.exitCode = 1;
}
