import { adviceOf } from '../plan/advice.ts';
import { PLAN, type PlanConfig } from '../plan/config.ts';
import { planReviewS } from '../plan/review.ts';
import type { Policy } from '../policy.ts';
import { chosen } from './fifo.ts';

/**
 * Acts as the plan says (see plan/advice.ts): what the learned policy starts from, and is compared with to see what learning
 * adds. In the lab only.
 */
export function teacherWith(config: PlanConfig): Policy {
  return {
    name: 'teacher',
    version: '1',
    preempts: true,
    moves: config.moveFactor > 0,
    choose: ({ snapshot, candidates }) => chosen(adviceOf(snapshot, candidates, config).index),
    reviewAfterS: (snapshot) => planReviewS(snapshot, config),
  };
}

export const teacher: Policy = teacherWith(PLAN);
