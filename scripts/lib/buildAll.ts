import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { resolveConfig } from 'electron-vite';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '..', '..');
const SOURCES = [
  'src',
  'electron.vite.config.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
  'tsconfig.web.json',
];
/** Where the build goes: `out/`, or `$STINT_BUILD_DIR` for one beside it. The configuration reads the same. */
const out = resolve(process.env.STINT_BUILD_DIR ?? join(root, 'out'));
/** Written last, so that a build that failed half-way counts as none. */
const stamp = join(out, 'built');

/** Whether anything that the build is made of is newer than the build, or there is none. */
export function isStale(): boolean {
  if (!existsSync(stamp)) return true;
  const builtMs = statSync(stamp).mtimeMs;
  return SOURCES.some((source) => newestMs(join(root, source)) > builtMs);
}

/**
 * Builds main, preload and console, in this order.
 * @param say takes one line a stage.
 */
export async function buildAll(say: (line: string) => void): Promise<void> {
  // The list of packages to leave outside is read from there.
  process.chdir(root);
  // The moment before, so that what is saved while it builds is built the next time.
  const startedAt = new Date();
  const configFile = join(root, 'electron.vite.config.ts');
  const { config } = await resolveConfig({ root, configFile, logLevel: 'warn' }, 'build', 'production');
  for (const stage of ['main', 'preload', 'renderer'] as const) {
    const stageConfig = config?.[stage];
    if (!stageConfig) throw new Error(`electron.vite.config.ts says nothing about ${stage}; restore it`);
    const beganMs = performance.now();
    await build(stageConfig);
    say(`built ${stage} in ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  }
  writeFileSync(stamp, `${startedAt.toISOString()}\n`);
  utimesSync(stamp, startedAt, startedAt);
}

function newestMs(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  // A folder's own time tells of files that were removed.
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
