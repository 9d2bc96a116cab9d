// `npm run check`: everything that can be said about the code without running it.
import { runQuietly } from './lib/run.ts';

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

// The compiler takes as long as the others together and uses one core: they go on beside it.
const ends = CHECKS.map(([, command, args]) => runQuietly(command, args));
let failed = 0;
for (const [i, [what]] of CHECKS.entries()) {
  console.log(`— ${what}`);
  const { status, output } = await ends[i]!;
  process.stdout.write(output);
  if (status !== 0) failed++;
}
if (failed > 0) {
  console.error(
    `${failed} of ${CHECKS.length} checks failed; npm run format mends format and the simple lint`,
  );
  process.exitCode = 1;
}
