import { forward, type Weights } from '../../scheduler/network.ts';
import { deeprmCandidates } from './features.ts';
import type { DeeprmWorld } from './world.ts';

/** `dqn`: the candidate that the network scores highest, the first of equals. */
export function learnedDeeprm(weights: Weights): (world: DeeprmWorld) => number {
  return (world) => {
    const { actions, features } = deeprmCandidates(world);
    const scores = forward(weights, features, actions.length);
    return actions[scores.reduce((best, score, i) => (score > scores[best]! ? i : best), 0)]!;
  };
}
