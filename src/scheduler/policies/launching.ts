import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';

/**
 * A policy that only launches, put among everything that may be done: it is asked about launches and `wait`. Whom another
 * policy made stand still goes on first. One that preempts stays as it is.
 */
export function amongAll(policy: Policy): Policy {
  if (policy.preempts === true) return policy;
  return {
    ...policy,
    preempts: true,
    choose(input: PolicyInput) {
      // Whom another policy made stand still goes on: this one would leave it there for ever, with its memory held.
      const back = input.candidates.findIndex(({ kind }) => kind === 'resume');
      if (back >= 0) return alone(back);
      const places: number[] = [];
      input.candidates.forEach(({ kind }, i) => {
        if (kind === 'launch' || kind === 'wait') places.push(i);
      });
      if (places.length < 2) {
        return alone(places[0] ?? input.candidates.length - 1);
      }
      const choice = policy.choose({ ...input, candidates: places.map((i) => input.candidates[i]!) });
      return { ...choice, index: places[choice.index]!, scores: null, features: null };
    },
  };
}

const alone = (index: number): PolicyChoice => ({
  index,
  scores: null,
  epsilon: null,
  explored: false,
  features: null,
});
