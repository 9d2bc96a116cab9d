/**
 * Builds everything into `out/`: each program of the engine, main and the CLI where it lies in `src`, the preload as one file, and
 * the console. `--if-stale`: only if a source is newer than the last build.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const args = process.argv.slice(2);
const unknown = args.filter((arg) => arg !== '--if-stale');
if (unknown.length > 0) {
  process.stderr.write(`${unknown.join(' ')}: not an option; give --if-stale or nothing\n`);
  process.exit(2);
}
if (!existsSync(join(import.meta.dirname, '..', 'node_modules', 'electron-vite'))) {
  // `npm ci --omit=dev` runs this too.
  process.stdout.write('not built: the development packages are not installed (npm ci)\n');
} else {
  const { buildAll, isStale } = await import('./lib/buildAll.ts');
  if (args.length === 0 || isStale()) await buildAll((line) => process.stdout.write(`${line}\n`));
}
