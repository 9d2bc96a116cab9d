import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the package `electron` keeps, or would keep, its binary. Asking it would make it download one. */
export interface ElectronBinary {
  /** Absolute path of the executable; null: there is none. */
  readonly path: string | null;
  /** Where it was looked for. */
  readonly lookedIn: string;
}

/**
 * Finds Electron's executable without starting or fetching anything.
 * @param root the package's root, absolute.
 */
export function findElectron(
  root: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ElectronBinary {
  const packageDir = join(root, 'node_modules', 'electron');
  const note = join(packageDir, 'path.txt');
  const named = existsSync(note) ? readFileSync(note, 'utf8').trim() : null;
  const override = env.ELECTRON_OVERRIDE_DIST_PATH;
  const lookedIn = override ? override : join(packageDir, 'dist');
  const name = named ?? (override ? 'electron' : null);
  const path = name === null ? null : join(lookedIn, name);
  return { path: path !== null && existsSync(path) ? path : null, lookedIn };
}

/** Why no window can be opened here; null if one can. */
export function missingDisplay(
  platform: NodeJS.Platform = process.platform,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | null {
  if (platform === 'darwin' || platform === 'win32' || env.DISPLAY || env.WAYLAND_DISPLAY) return null;
  return 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)';
}
