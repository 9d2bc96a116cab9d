import type { Policy, PolicyInput } from '../policy.ts';
import type { Snapshot } from '../snapshot.ts';
import { leastLaunch } from './greedy.ts';

/**
 * Dominant-resource fairness (Ghodsi et al., NSDI 2011) among users: the next start belongs to the user whose dominant
 * share, the larger of its shares of all GPUs and of all GPU memory, is the least now. Never preempts, never waits
 * while something may start; a user none of whose jobs fits is passed over.
 *
 * Ours: a shared GPU counts for each of those who compute on it in equal parts; undeclared memory is all of a GPU's;
 * who gave way holds memory alone. Among users with the same share the one with less service in this episode goes first,
 * then the queue decides.
 */
export const fair: Policy = {
  name: 'fair',
  version: '1',
  choose(input: PolicyInput) {
    const { snapshot } = input;
    const shares = dominantShares(snapshot);
    const users = [...new Set(snapshot.waiting.map(({ user }) => user))];
    const shareOf = (user: string): number => shares.get(user) ?? 0;
    const serviceOf = (user: string): number => snapshot.serviceByUser[user] ?? 0;
    users.sort((a, b) => shareOf(a) - shareOf(b) || serviceOf(a) - serviceOf(b));
    // Users who are equal in both are one to the queue.
    const places = new Map<string, number>();
    users.forEach((user, i) => {
      const before = users[i - 1];
      const equal =
        before !== undefined && shareOf(before) === shareOf(user) && serviceOf(before) === serviceOf(user);
      places.set(user, equal ? places.get(before)! : i);
    });
    return leastLaunch(input, ({ user }) => places.get(user)!);
  },
};

/** Per user that holds devices. */
function dominantShares({ devices, running }: Snapshot): Map<string, number> {
  const active = new Map<string, number>();
  for (const job of running) {
    if (job.pausedBy === 'scheduler') continue;
    for (const id of job.deviceIds) active.set(id, (active.get(id) ?? 0) + 1);
  }
  const memoryMib = new Map(devices.map(({ id, memoryTotalMib }) => [id, memoryTotalMib]));
  let totalMib = 0;
  for (const { memoryTotalMib } of devices) totalMib += memoryTotalMib;
  const held = new Map<string, { gpus: number; mib: number }>();
  for (const job of running) {
    let holds = held.get(job.user);
    if (holds === undefined) {
      holds = { gpus: 0, mib: 0 };
      held.set(job.user, holds);
    }
    for (const id of job.deviceIds) {
      if (job.pausedBy !== 'scheduler') holds.gpus += 1 / active.get(id)!;
      holds.mib += job.vramMib ?? memoryMib.get(id) ?? 0;
    }
  }
  const shares = new Map<string, number>();
  for (const [user, { gpus, mib }] of held) {
    shares.set(user, Math.max(gpus / Math.max(1, devices.length), mib / Math.max(1, totalMib)));
  }
  return shares;
}
