import { FieldError } from '../../domain/errors.ts';
import { BELIEF } from '../belief.ts';
import { PLAN } from '../plan/config.ts';
import type { Policy } from '../policy.ts';
import { AGED, agedWith } from './aged.ts';
import { type ByStopCost, byStopCost } from './byStopCost.ts';
import { GITTINS, gittinsWith } from './gittins.ts';
import { LAS, lasWith } from './las.ts';
import { PACK, packWith } from './pack.ts';
import { PSPT, psptWith } from './pspt.ts';
import { teacher, teacherWith } from './teacher.ts';
import { TETRIS, tetrisWith } from './tetris.ts';
import { TIRESIAS, tiresiasWith } from './tiresias.ts';

type Settings = Readonly<Record<string, number>>;

/** A heuristic that has parameters. */
interface Tunable {
  /** As it ships. */
  readonly settings: ByStopCost<Settings>;
  readonly make: (settings: Settings) => Policy;
}

const tunable = <T extends object>(settings: ByStopCost<T>, make: (settings: T) => Policy): Tunable => ({
  settings: settings as unknown as Tunable['settings'],
  make: make as unknown as Tunable['make'],
});
const everywhere = <T>(settings: T): ByStopCost<T> => ({ free: settings, costly: settings });

/** All others have none. */
export const TUNABLE: Readonly<Record<string, Tunable>> = {
  aged: tunable(everywhere(AGED), agedWith),
  las: tunable(LAS, lasWith),
  tiresias: tunable(TIRESIAS, tiresiasWith),
  gittins: tunable(GITTINS, gittinsWith),
  pspt: tunable(PSPT, psptWith),
  tetris: tunable(everywhere(TETRIS), tetrisWith),
  pack: tunable(everywhere(PACK), packWith),
};

const { belief: _belief, ...PLAN_NUMBERS } = PLAN;

/** What a name with settings may begin with: the heuristics, and what `dqn` starts from, to look into its plan. */
const WITH_PARAMETERS: Readonly<Record<string, Tunable>> = {
  ...TUNABLE,
  [teacher.name]: tunable(everywhere({ ...PLAN_NUMBERS, ...BELIEF }), (settings) =>
    teacherWith({ ...PLAN, ...settings, belief: { ...BELIEF, ...settings } }),
  ),
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
  const found = WITH_PARAMETERS[base];
  if (found === undefined)
    throw new FieldError('policy', name, `only ${Object.keys(WITH_PARAMETERS).join(', ')} have parameters`);
  const { free, costly } = found.settings;
  const settings: Record<string, number> = {};
  for (const part of list.split(':')) {
    const [key = '', text = ''] = part.split('=').map((piece) => piece.trim());
    const value = Number(text);
    if (!Object.hasOwn(costly, key))
      throw new FieldError('policy', name, `give ${Object.keys(costly).join(' or ')}=NUMBER`);
    const most = SHARES.includes(key) ? 1 : Number.POSITIVE_INFINITY;
    if (text === '' || !(value > 0 && value < most))
      throw new FieldError('policy', name, `give ${key} a number above 0${most === 1 ? ' and below 1' : ''}`);
    settings[key] = value;
  }
  const named = { free: { ...free, ...settings }, costly: { ...costly, ...settings } };
  return { ...byStopCost(named, found.make), name };
}
