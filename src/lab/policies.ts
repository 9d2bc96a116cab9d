import { FieldError, messageOf } from '../domain/errors.ts';
import { isBandit } from '../domain/policyNames.ts';
import { loadShippedPolicy } from '../learning/shippedPolicy.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../scheduler/policies/dqn.ts';
import { LAB_POLICY_NAMES, labPolicy } from '../scheduler/policies/heuristics.ts';
import type { Policy } from '../scheduler/policy.ts';

/** The learned policy, with the weights that it ships with. */
export const LEARNED = 'dqn';

/** What that one starts from: as little of a heuristic to be measured against as it is itself. */
const TEACHER = 'teacher';

/** Whether others are measured against it: it neither knows durations nor is ours. */
export const isYardstick = ({ name, clairvoyant }: Policy): boolean =>
  clairvoyant !== true && name !== LEARNED && name !== TEACHER && !isBandit(name);

/** All that the virtual machine can be run under. */
export const machinePolicies: readonly string[] = [...new Set([...LAB_POLICY_NAMES, LEARNED])];

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
  const wrong = names.find((name) => !machinePolicies.includes(name));
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
 * @param weightsPath where the learned policy's weights lie; only read if it is among them.
 * @throws {FieldError} when the weights cannot be used.
 */
export async function policyMaker(names: readonly string[], weightsPath: string): Promise<MakePolicy> {
  if (!names.includes(LEARNED)) return labPolicy;
  const { name: version, weights } = await loadShippedPolicy(weightsPath).catch((error: unknown) => {
    throw new FieldError('policy', LEARNED, `leave it out, or mend its weights (${messageOf(error)})`);
  });
  return (name) =>
    name === LEARNED ? createDqnPolicy({ weights, version, exploration: NO_EXPLORATION }) : labPolicy(name);
}
