import { dirname, join } from 'node:path';
import { FieldError, messageOf } from '../domain/errors.ts';
import { isBandit, isNetwork, NETWORKS } from '../domain/policyNames.ts';
import { type LoadedPolicy, loadShippedPolicy } from '../learning/shippedPolicy.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../scheduler/policies/dqn.ts';
import { LAB_POLICY_NAMES, labPolicy } from '../scheduler/policies/heuristics.ts';
import { createPgPolicy } from '../scheduler/policies/pg.ts';
import { tunedPolicy, withoutSettings } from '../scheduler/policies/tunable.ts';
import type { Policy } from '../scheduler/policy.ts';

/** The learned policy that is compared with all others, with the weights that it ships with. */
export const LEARNED = 'dqn';

/** What that one starts from: as little of a heuristic to be measured against as it is itself. */
const TEACHER = 'teacher';

/** Whether others are measured against it: it neither knows durations nor is ours. */
export const isYardstick = ({ name, clairvoyant }: Policy): boolean =>
  clairvoyant !== true && !isNetwork(name) && withoutSettings(name) !== TEACHER && !isBandit(name);

/** All that the virtual machine can be run under. */
export const machinePolicies: readonly string[] = [...new Set([...LAB_POLICY_NAMES, ...NETWORKS])];

/** What `evaluate` compares unless told otherwise: all heuristics that know nothing of the future nor learn, and a bound. */
export const DEFAULT_CONTESTANTS: readonly string[] = [
  ...LAB_POLICY_NAMES.filter((name) => isYardstick(labPolicy(name))),
  'srtf',
];

/**
 * Each name once, in order.
 * @throws {FieldError} naming the field `policy`, for a name that no policy has.
 */
export function policyNames(names: readonly string[]): string[] {
  for (const name of names) tunedPolicy(name);
  const wrong = names.find((name) => !machinePolicies.includes(withoutSettings(name)));
  if (wrong === undefined) return [...new Set(names)];
  throw new FieldError(
    'policy',
    wrong,
    `choose from ${machinePolicies.join(', ')}, with commas between several`,
  );
}

/** Makes a policy anew: the learned one keeps count of its decisions. */
export type MakePolicy = (name: string) => Policy;

/**
 * @param names all that will be made.
 * @param weightsPath where the weights of `dqn` lie, and beside them those of `pg`; only read if they are among them.
 * @throws {FieldError} when the weights cannot be used.
 */
export async function policyMaker(names: readonly string[], weightsPath: string): Promise<MakePolicy> {
  const loaded = new Map<string, LoadedPolicy>();
  for (const name of NETWORKS.filter((one) => names.includes(one))) {
    const path = name === LEARNED ? weightsPath : join(dirname(weightsPath), `${name}.json`);
    const policy = await loadShippedPolicy(path).catch((error: unknown) => {
      throw new FieldError('policy', name, `leave it out, or mend its weights (${messageOf(error)})`);
    });
    loaded.set(name, policy);
  }
  return (name) => {
    const of = loaded.get(name);
    if (of === undefined) return labPolicy(name);
    const { name: version, weights } = of;
    return name === LEARNED
      ? createDqnPolicy({ weights, version, exploration: NO_EXPLORATION })
      : createPgPolicy({ weights, version });
  };
}
