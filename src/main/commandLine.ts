import { parseArgs } from 'node:util';
import { FieldError } from '../domain/errors.ts';
import { POLICY_NAMES, type PolicyName } from '../domain/policyNames.ts';

/** What the desktop takes from its command line: the same as `stint serve`. */
export interface DesktopFlags {
  /** `--data DIR`: home of the console, instead of `$STINT_HOME`. */
  readonly data?: string;
  /** `--devices SPEC`, such as `virtual:2x8GiB`. */
  readonly devices?: string;
  /** `--policy NAME`. */
  readonly policy?: PolicyName;
}

const WHAT_TO_GIVE = {
  data: 'give a directory, such as --data /srv/stint',
  devices: 'give what to schedule on, such as --devices virtual:2',
  policy: `choose one of ${POLICY_NAMES.join(', ')}`,
} as const;

/**
 * Reads the flags out of a command line that Chromium's own switches share; those are passed over.
 * @throws {FieldError} naming the flag, when one of ours has no value or a wrong one.
 */
export function parseDesktopFlags(argv: readonly string[]): DesktopFlags {
  const { values } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    options: { data: { type: 'string' }, devices: { type: 'string' }, policy: { type: 'string' } },
  });
  const text = (name: keyof typeof WHAT_TO_GIVE): string | undefined => {
    const value = values[name];
    if (value === undefined) return undefined;
    // Not strict, so that a flag that stands alone comes out as `true`, and one before another swallows it.
    if (typeof value !== 'string' || value === '' || value.startsWith('--')) {
      throw new FieldError(`--${name}`, typeof value === 'string' ? value : undefined, WHAT_TO_GIVE[name]);
    }
    return value;
  };
  const data = text('data');
  const devices = text('devices');
  const policy = text('policy');
  if (policy !== undefined && !isPolicyName(policy)) {
    throw new FieldError('--policy', policy, WHAT_TO_GIVE.policy);
  }
  return {
    ...(data !== undefined && { data }),
    ...(devices !== undefined && { devices }),
    ...(policy !== undefined && { policy }),
  };
}

const isPolicyName = (name: string): name is PolicyName => (POLICY_NAMES as readonly string[]).includes(name);
