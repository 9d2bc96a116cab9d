import { messageOf } from '../domain/errors.ts';
import { type Rng, randomInt, seededRng } from '../domain/rng.ts';
import type { Policy, PolicyInput } from '../scheduler/policy.ts';
import { simulate } from '../simulator/machine.ts';
import type { JobOutcome, SimulatedWorld, Span } from '../simulator/world.ts';

/** A policy that failed in a simulation: its result would be that of whatever decided in its place. */
export class PolicyFailure extends Error {
  override readonly name = 'PolicyFailure';
}

/**
 * Runs a world under a policy, to its end.
 * @returns in the order in which jobs ended.
 * @throws {PolicyFailure} when the policy throws, {SimulationError} when jobs never end.
 */
export function runWorld(
  world: SimulatedWorld,
  policy: Policy,
  seed: number,
  onSpan?: (span: Span) => void,
): JobOutcome[] {
  let failure: { readonly error: unknown } | null = null;
  const { reviewAfterS, ...rest } = policy;
  const watched: Policy = {
    ...rest,
    ...(reviewAfterS === undefined
      ? {}
      : { reviewAfterS: (snapshot, history) => reviewAfterS.call(policy, snapshot, history) }),
    choose(input: PolicyInput) {
      try {
        return policy.choose(input);
      } catch (error) {
        failure ??= { error };
        throw error;
      }
    },
  };
  const outcomes = simulate(world, {
    policy: watched,
    heuristic: watched,
    rng: policyRng(seed),
    ...(onSpan === undefined ? {} : { onSpan }),
  });
  const failed = failure as { readonly error: unknown } | null;
  if (failed !== null) throw new PolicyFailure(`${policy.name} failed: ${messageOf(failed.error)}`);
  return outcomes;
}

/** The chance in a policy has nothing to do with the chance in its world. */
const policyRng = (seed: number): Rng => seededRng(seed ^ 0x5bd1e995);

/** A seed for one thing of several, none of which has to do with another. Whole, below 2^31. */
export const seedFor = (seed: number, thing: number): number =>
  randomInt(seededRng(seed * 65_537 + thing), 2 ** 31);
