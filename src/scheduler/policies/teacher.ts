import { adviceOf, PLAN, type PlanConfig, planReviewS } from '../plan.ts';
import type { Policy } from '../policy.ts';
import { chosen } from './fifo.ts';

/**
 * Acts as the plan says (see plan.ts): what the learned policy starts from, and is compared with to see what learning
 * adds. In the lab only.
 */
export function teacherWith(config: PlanConfig): Policy {
  return {
    name: 'teacher',
    version: '1',
    preempts: true,
    choose: ({ snapshot, candidates }) => chosen(adviceOf(snapshot, candidates, config).index),
    reviewAfterS: (snapshot) => planReviewS(snapshot, config),
  };
}

export const teacher: Policy = teacherWith(PLAN);
