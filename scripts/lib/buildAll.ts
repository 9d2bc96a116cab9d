import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { resolveConfig } from 'electron-vite';
import { build } from 'vite';
import { completeLicences } from './completeLicences.ts';

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
/** Tells when the build was begun. */
const STAMP = 'built';

/** Whether anything that the build is made of is newer than the build, or there is none. */
export function isStale(): boolean {
  const stamp = join(out, STAMP);
  if (!existsSync(stamp)) return true;
  const builtMs = statSync(stamp).mtimeMs;
  return SOURCES.some((source) => newestMs(join(root, source)) > builtMs);
}

/**
 * Builds main, preload and console, in this order, aside; what was there before is replaced at the end and at
 * once. So a build that fails changes nothing, and two at the same time do not mix.
 * @param say takes one line a stage.
 */
export async function buildAll(say: (line: string) => void): Promise<void> {
  // The list of packages to leave outside is read from there.
  process.chdir(root);
  const aside = join(root, '.cache', `build-${process.pid}`);
  process.env.STINT_BUILD_DIR = aside;
  // The moment before, so that what is saved while it builds is built the next time.
  const startedAt = new Date();
  const configFile = join(root, 'electron.vite.config.ts');
  try {
    const { config } = await resolveConfig({ root, configFile, logLevel: 'warn' }, 'build', 'production');
    for (const stage of ['main', 'preload', 'renderer'] as const) {
      const stageConfig = config?.[stage];
      if (!stageConfig) throw new Error(`electron.vite.config.ts says nothing about ${stage}; restore it`);
      const beganMs = performance.now();
      await build(stageConfig);
      say(`built ${stage} in ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
    }
    for (const list of ['licenses.md', 'renderer/licenses.md']) completeLicences(join(aside, list));
    writeFileSync(join(aside, STAMP), `${startedAt.toISOString()}\n`);
    utimesSync(join(aside, STAMP), startedAt, startedAt);
    replace(out, aside);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Puts a folder in the place of another. Somebody else may be doing the same; the last one stays. */
function replace(place: string, by: string, attempts = 5): void {
  mkdirSync(dirname(place), { recursive: true });
  const old = `${by}-old`;
  try {
    if (existsSync(place)) renameSync(place, old);
    renameSync(by, place);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (attempts <= 1 || !['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(code)) throw error;
    rmSync(old, { recursive: true, force: true });
    replace(place, by, attempts - 1);
  }
  rmSync(old, { recursive: true, force: true });
}

function newestMs(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  // A folder's own time tells of files that were removed.
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
