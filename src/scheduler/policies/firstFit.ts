import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import { chosen } from './fifo.ts';

/**
 * The first job in queue order that fits starts, and so on until none does: backfilling without reservations
 * (Feitelson & Mu'alem Weil 1998, "Utilization and predictability in scheduling the IBM SP2 with backfilling",
 * discuss what it lacks: wide jobs may starve, which the shield prevents here).
 */
export const firstFit: Policy = {
  name: 'first-fit',
  version: '1',
  choose(_input: PolicyInput): PolicyChoice {
    // Candidates come in queue order, alone before sharing, `wait` last.
    return chosen(0);
  },
};
