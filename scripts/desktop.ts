/**
 * `npm run desktop [-- --linux | --mac | --win] [--dir]`: packages the desktop by electron-builder.yml, for the system that it
 * runs on unless told otherwise. `-- --check` has electron-builder validate that file and does nothing else. electron-builder is
 * fetched for it, and fetches Electron's binary: docs/decisions/0015-packages-of-the-desktop.md.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { messageOf } from '../src/domain/errors.ts';
import { ROOT, run } from './lib/run.ts';

const BUILDER = 'electron-builder@26.17.0';
/** Tells this script, run by npm exec with electron-builder on its PATH, that it is its turn. */
const INSIDE = '--inside';

const args = process.argv.slice(2);
if (args[0] === INSIDE) await validate();
else if (args.includes('--check')) process.exitCode = await withBuilder('node', import.meta.filename, INSIDE);
else {
  const built = await run('node', ['scripts/build.ts', '--if-stale']);
  process.exitCode = built || (await withBuilder('electron-builder', '--publish', 'never', ...args));
}

function withBuilder(...command: string[]): Promise<number> {
  return run('npm', ['exec', '--yes', `--package=${BUILDER}`, '--', ...command]);
}

async function validate(): Promise<void> {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'electron-builder'))
    .find((file) => existsSync(file));
  if (found === undefined)
    throw new Error('electron-builder is not on the PATH; run `npm run desktop -- --check`');
  const load = createRequire(realpathSync(found));
  const { validateConfiguration } = load('app-builder-lib/out/util/config/config') as {
    validateConfiguration(config: unknown, log: unknown): Promise<void>;
  };
  const { DebugLogger } = load('builder-util') as { DebugLogger: new (enabled: boolean) => unknown };
  const { load: parse } = load('js-yaml') as { load(text: string): unknown };
  const config = parse(readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8'));
  try {
    await validateConfiguration(config, new DebugLogger(false));
    console.log(`electron-builder.yml is as ${BUILDER} wants it`);
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
