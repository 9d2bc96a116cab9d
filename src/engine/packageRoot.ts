import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of a file in `resources/`, from the sources as well as from a build. */
export function resourcePath(...parts: readonly string[]): string {
  return join(packageRoot(), 'resources', ...parts);
}

let found: string | undefined;

/** The directory that holds `resources/` and `package.json`. */
export function packageRoot(): string {
  if (found !== undefined) return found;
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'resources', 'supervisor.sh'))) {
    const parent = dirname(directory);
    if (parent === directory) {
      throw new Error('resources/supervisor.sh is missing from this installation of Stint; install it again');
    }
    directory = parent;
  }
  found = directory;
  return directory;
}
