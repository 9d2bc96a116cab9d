import { FieldError } from '../../domain/errors.ts';
import type { Policy } from '../policy.ts';
import { AGED, agedWith } from './aged.ts';
import { gittinsWith } from './gittins.ts';
import { lasWith } from './las.ts';
import { PACK, packWith } from './pack.ts';
import { PSPT, psptWith } from './pspt.ts';
import { QUANTUM } from './quantum.ts';
import { TETRIS, tetrisWith } from './tetris.ts';
import { TIRESIAS, tiresiasWith } from './tiresias.ts';

/** A heuristic that has parameters. */
interface Tunable {
  /** As it ships. */
  readonly settings: Readonly<Record<string, number>>;
  readonly make: (settings: Readonly<Record<string, number>>) => Policy;
}

const tunable = <T extends object>(settings: T, make: (settings: T) => Policy): Tunable => ({
  settings: settings as Readonly<Record<string, number>>,
  make: make as unknown as Tunable['make'],
});

/** All others have none. */
export const TUNABLE: Readonly<Record<string, Tunable>> = {
  aged: tunable(AGED, agedWith),
  las: tunable(QUANTUM, lasWith),
  tiresias: tunable(TIRESIAS, tiresiasWith),
  gittins: tunable(QUANTUM, gittinsWith),
  pspt: tunable(PSPT, psptWith),
  tetris: tunable(TETRIS, tetrisWith),
  pack: tunable(PACK, packWith),
};

/** Of these, below 1: a share of all there is would never be passed. */
const SHARES: readonly string[] = ['share'];

const WITH_SETTINGS = /^([a-z-]+):(.*)$/;

/** The heuristic that a name with settings begins with, `las` for `las:share=0.3`; others as they are. */
export const withoutSettings = (name: string): string => WITH_SETTINGS.exec(name)?.[1] ?? name;

/**
 * A heuristic with other parameters than it ships with: `tiresias:thresholdGpuS=20000:promote=8`. What is not named is as
 * shipped. Null for a name without settings.
 * @throws {FieldError} naming the field `policy`, for parameters that it does not have or that are not above 0.
 */
export function tunedPolicy(name: string): Policy | null {
  const [, base, list] = WITH_SETTINGS.exec(name) ?? [];
  if (base === undefined || list === undefined) return null;
  const found = TUNABLE[base];
  if (found === undefined)
    throw new FieldError('policy', name, `only ${Object.keys(TUNABLE).join(', ')} have parameters`);
  const settings: Record<string, number> = { ...found.settings };
  for (const part of list.split(':')) {
    const [key = '', text = ''] = part.split('=').map((piece) => piece.trim());
    const value = Number(text);
    if (!Object.hasOwn(settings, key))
      throw new FieldError('policy', name, `give ${Object.keys(settings).join(' or ')}=NUMBER`);
    const most = SHARES.includes(key) ? 1 : Number.POSITIVE_INFINITY;
    if (text === '' || !(value > 0 && value < most))
      throw new FieldError('policy', name, `give ${key} a number above 0${most === 1 ? ' and below 1' : ''}`);
    settings[key] = value;
  }
  return { ...found.make(settings), name };
}
