import { type Load, priorityWeight } from '../domain/reward.ts';
import type { Snapshot } from './snapshot.ts';

/** What the cost rates of the reward are computed from. O(waiting + running + devices). */
export function loadOf(snapshot: Snapshot): Load {
  const held = new Set<string>();
  const users = new Set<string>();
  let waitingGpus = 0;
  let weight = 0;
  for (const job of snapshot.running) {
    users.add(job.user);
    weight += priorityWeight(job.priority);
    for (const id of job.deviceIds) held.add(id);
  }
  for (const job of snapshot.waiting) {
    users.add(job.user);
    waitingGpus += job.gpus;
    weight += priorityWeight(job.priority);
  }
  const { backlog } = snapshot;
  if (backlog !== undefined) {
    for (const user of backlog.users) users.add(user);
    waitingGpus += backlog.waitingGpus;
    weight += backlog.weight;
  }
  let idleDevices = 0;
  for (const device of snapshot.devices) {
    if (device.usable && device.foreignMib !== null && device.closed === undefined && !held.has(device.id))
      idleDevices++;
  }
  return {
    waiting: snapshot.waiting.length + (backlog?.waiting ?? 0),
    running: snapshot.running.length,
    weight,
    devices: snapshot.devices.length,
    idleDevices,
    waitingGpus,
    serviceByUser: [...users].map((user) => snapshot.serviceByUser[user] ?? 0),
  };
}
