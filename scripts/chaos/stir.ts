import { isTerminal, JOB_STATUSES } from '../../src/domain/job.ts';
import { randomInt } from '../../src/domain/rng.ts';
import type { World } from './world.ts';

type Client = World['client'];
type Job = Awaited<ReturnType<World['list']>>[number];

const ALL_DAY = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const,
  from: '00:00',
  to: '23:59',
  exceptPriority: null,
  throttlePercent: 30,
};

/** What an owner does to jobs and machine meanwhile. Each takes back nothing: `calm` does that for all. */
const ACTS: readonly ((world: World, client: Client, job: Job) => Promise<unknown>)[] = [
  (_world, client, { id }) => client.jobs.pause({ id }),
  (_world, client, { id }) => client.jobs.resume({ id }),
  (_world, client, { id }) => client.jobs.throttle({ id, share: 0.5 }),
  (_world, client, { id }) => client.jobs.hold({ id }),
  (_world, client, { id }) => client.jobs.release({ id }),
  (world, client, { id }) => client.jobs.prioritise({ id, priority: randomInt(world.rng, 20) }),
  (world, client, { id }) => {
    noteOf(world, id, 'preempted');
    return client.jobs.preempt({ id });
  },
  async (world, client, { id }) => {
    // Half of them are put back at once, where that is still possible.
    noteOf(world, id, 'disturbed');
    await client.jobs.cancel({ id });
    if (world.rng.next() < 0.5) await client.jobs.undo({ id });
  },
  (world, client) => {
    const running = (['off', 'throttle', 'pause'] as const)[randomInt(world.rng, 3)]!;
    return client.settings.set({ rules: { quietHours: [{ ...ALL_DAY, days: [...ALL_DAY.days], running }] } });
  },
  (_world, client) => client.settings.set({ rules: { quietHours: [] } }),
  async (world, client, { changedAtMs, submittedAtMs }) => {
    // By the engine's clock: its day may be another.
    const devices = await client.devices.list();
    const { id } = devices[randomInt(world.rng, devices.length)]!;
    const fromMs = changedAtMs ?? submittedAtMs;
    const toMs = fromMs + 3 * 86_400_000;
    return client.devices.reserve({ id, fromMs, toMs, user: 'somebody', others: 'pause' });
  },
  async (world, client) => {
    const on = world.rng.next() < 0.5;
    return client.scheduler.drain({ on });
  },
];

function noteOf(world: World, id: number, what: 'preempted' | 'disturbed'): void {
  for (const job of world.jobs) if (job.id === id) job[what] = true;
}

/**
 * Does one thing that an owner may do, to a job at random. That it is not possible just now is an answer; anything else
 * that is refused is not.
 */
export async function stir(world: World): Promise<void> {
  const act = ACTS[randomInt(world.rng, ACTS.length)]!;
  await tolerantly(world, async (client) => {
    const statuses = JOB_STATUSES.filter((status) => !isTerminal(status));
    const { jobs: open } = await client.jobs.list({ statuses, limit: 1000 });
    const job = open[randomInt(world.rng, Math.max(1, open.length))];
    if (job !== undefined) await act(world, client, job);
  });
}

/** Takes back what keeps jobs from running. */
export async function calm(world: World): Promise<void> {
  await tolerantly(world, (client) => client.settings.set({ rules: { quietHours: [] } }));
  await tolerantly(world, (client) => client.scheduler.drain({ on: false }));
  await tolerantly(world, (client) => client.jobs.releaseAll());
  await tolerantly(world, async (client) => {
    for (const { id } of await client.devices.reservations()) await client.devices.unreserve({ id });
    const { jobs } = await client.jobs.list({ statuses: ['paused'], limit: 10_000 });
    for (const { id } of jobs)
      await client.jobs.resume({ id }).catch((error) => {
        if (!isAnswer(error)) throw error;
      });
  });
}

async function tolerantly(world: World, act: (client: Client) => Promise<unknown>): Promise<void> {
  try {
    await world.patiently(act);
  } catch (error) {
    // The engine may be gone as well: that is what it is all about.
    if (world.running && !isAnswer(error) && (error as { code?: unknown }).code !== undefined)
      world.troubles.push(`an act of the owner was answered with ${String(error)}`);
  }
}

/** Not possible just now, or nothing can be written just now. */
const isAnswer = (error: unknown): boolean =>
  ['CONFLICT', 'NOT_FOUND', 'SERVICE_UNAVAILABLE'].includes(String((error as { code?: unknown }).code));
