import { FieldError } from '../domain/errors.ts';

/** What the answer depends on; the caller reads it from its machine. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As Node's `process.platform` says it. */
  readonly platform: string;
  /** The user's own directory. */
  readonly userHome: string;
}

/**
 * The directory in which this user's Stint lives when nobody names one: `$STINT_HOME`, else the platform's data
 * directory. Engine and clients must agree on it, because it is where they meet.
 * @throws {FieldError} if `$STINT_HOME` is relative: it would mean another place for every caller.
 */
export function dataHome({ env, platform, userHome }: Surroundings): string {
  const windows = platform === 'win32';
  const isAbsolute = (path: string) => (windows ? /^([A-Za-z]:)?[\\/]/.test(path) : path.startsWith('/'));
  const variable = env.STINT_HOME;
  if (variable) {
    if (!isAbsolute(variable)) throw new FieldError('STINT_HOME', variable, 'give an absolute path');
    return variable;
  }
  if (platform === 'darwin') return `${userHome}/Library/Application Support/Stint`;
  if (windows) return `${env.LOCALAPPDATA || `${userHome}\\AppData\\Local`}\\Stint`;
  const data = env.XDG_DATA_HOME;
  return `${data && isAbsolute(data) ? data.replace(/\/+$/, '') : `${userHome}/.local/share`}/stint`;
}
