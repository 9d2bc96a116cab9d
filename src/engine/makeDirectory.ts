import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it, where they are not there yet. Node's own `recursive` never comes back where a directory is
 * there in which none can be made (/proc): whoever names a path must not be able to stop the engine by it.
 * @throws what `mkdir` says of the first that cannot be made.
 */
export function makeDirectory(path: string, mode?: number): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Somebody else was quicker.
    if (!isDirectory(path)) throw error;
  }
}

/** Where that cannot be told, `mkdir` tells why. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
