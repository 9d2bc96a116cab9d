import { join } from 'node:path';
import type { JobSpecInput } from '../../src/domain/job.ts';
import { randomInt } from '../../src/domain/rng.ts';
import type { Dependency } from '../../src/domain/terms.ts';
import type { World } from './world.ts';

/** A job whose end is known beforehand, unless something happens to it that takes the knowledge away. */
export interface Expected {
  readonly name: string;
  /** Its exit code if it runs and nothing ends it. */
  readonly exitCode: number;
  /** Whether the engine answered the submission. */
  acknowledged: boolean;
  id: number | null;
  /** Its supervisor or its processes were killed, or somebody cancelled it: it may end in another way. */
  disturbed: boolean;
  /** It was told to give way: what its post hook does then may be cut short. */
  preempted: boolean;
  readonly restartable: boolean;
  /** Whether its pre hook succeeds; null: it has no hooks. */
  readonly hooks: boolean | null;
  readonly after: readonly { readonly on: Dependency['on']; readonly job: Expected }[];
  /** The name of its array. */
  readonly array: string | null;
}

/** So many jobs of an array run at once at most. */
export const AT_MOST = 2;

interface Plan {
  readonly runS: number;
  readonly exitCode?: number;
  readonly restartable?: boolean;
  readonly hooks?: boolean | null;
  readonly after?: Expected['after'];
}

const expected = (name: string, plan: Plan, array: string | null = null): Expected => ({
  name,
  exitCode: plan.hooks === false ? PRE_FAILS : (plan.exitCode ?? 0),
  acknowledged: false,
  id: null,
  disturbed: false,
  preempted: false,
  restartable: plan.restartable ?? false,
  hooks: plan.hooks ?? null,
  after: plan.after ?? [],
  array,
});

/** What a pre hook ends with that fails. */
const PRE_FAILS = 77;
const STEP_S = 0.05;

/** Submits a job that leaves a mark when it starts, runs for so long, and ends with its code. */
export async function submit(world: World, plan: Plan, more: Partial<JobSpecInput> = {}): Promise<Expected> {
  const number = world.nextNumber();
  const name = `job-${number}`;
  const job = expected(name, plan);
  world.jobs.push(job);
  const mark = join(world.marks, name);
  const marks = (kind: string): string => `echo "$STINT_ATTEMPT" >> '${mark}${kind}'`;
  // What gives way goes on from the steps that it has done.
  const work = job.restartable
    ? `while [ "$(cat '${mark}.steps' 2>/dev/null | wc -l)" -lt ${Math.ceil(plan.runS / STEP_S)} ]; do echo >> '${mark}.steps'; sleep ${STEP_S}; done`
    : `sleep ${plan.runS}`;
  const spec: JobSpecInput = {
    command: ['sh', '-c', `${marks('')}; echo out; ${work}; exit ${job.exitCode}`],
    cwd: number % 3 === 0 ? world.code : '/',
    user: 'chaos',
    name,
    restartable: job.restartable,
    after: job.after.map(({ on, job: { id } }) => ({ jobId: id!, on })),
    ...(job.hooks === null
      ? {}
      : {
          preCommand: `${marks('.pre')}; exit ${job.hooks ? 0 : PRE_FAILS}`,
          postCommand: marks('.post'),
        }),
    ...more,
  };
  try {
    job.id = (await world.patiently((client) => client.jobs.submit(spec))).id;
    job.acknowledged = true;
  } catch {
    // The engine went away, or cannot write: then nothing was promised.
  }
  return job;
}

/** Jobs that are submitted together, all or none, of which not all may run at once. */
async function submitArray(world: World, count: number): Promise<void> {
  const array = `array-${world.nextNumber()}`;
  const members = Array.from({ length: count }, (_, index) => ({
    index,
    values: { code: String(world.rng.next() < 0.3 ? 1 + randomInt(world.rng, 100) : 0) },
  }));
  const jobs = members.map(({ index, values }) =>
    expected(`${array}-${index}`, { runS: 0, exitCode: Number(values.code) }, array),
  );
  world.jobs.push(...jobs);
  const script = `echo "$STINT_ATTEMPT" >> '${join(world.marks, array)}-{index}'; sleep 0.1; exit {code}`;
  const spec = {
    command: ['sh', '-c', script],
    cwd: world.code,
    user: 'chaos',
    name: `${array}-{index}`,
    gpus: 1,
    vramMib: 512,
  };
  try {
    const { ids } = await world.patiently((client) =>
      client.arrays.submit({ spec, members, atMost: AT_MOST }),
    );
    for (const [at, id] of ids.entries()) Object.assign(jobs[at]!, { id, acknowledged: true });
  } catch {
    // As above.
  }
}

/** A handful of jobs of all kinds. */
export async function submitSome(world: World, count: number): Promise<void> {
  const { rng } = world;
  for (let i = 0; i < count; i++) {
    const runS = Math.round(100 * (0.05 + 0.8 * rng.next() ** 2)) / 100;
    const exitCode = rng.next() < 0.4 ? 1 + randomInt(rng, 100) : 0;
    const gpus = rng.next() < 0.2 ? 0 : 1 + randomInt(rng, 2);
    const more: Partial<JobSpecInput> = { gpus, vramMib: rng.next() < 0.5 ? 1024 : null };
    if (rng.next() < 0.15) Object.assign(more, { retries: 1, retryDelayS: 0.1 });
    const earlier = world.jobs.filter(({ acknowledged }) => acknowledged);
    const before = rng.next() < 0.2 ? earlier[randomInt(rng, Math.max(1, earlier.length))] : undefined;
    const on = (['ok', 'any', 'not-ok'] as const)[randomInt(rng, 3)]!;
    await submit(
      world,
      {
        runS,
        exitCode,
        restartable: rng.next() < 0.3,
        hooks: rng.next() < 0.2 ? rng.next() < 0.8 : null,
        after: before === undefined ? [] : [{ on, job: before }],
      },
      more,
    );
    if (rng.next() < 0.1) await submitArray(world, 3 + randomInt(rng, 3));
  }
}

/** How a job may end. `never`: it does not start, since a job that it waits for ended otherwise. */
export type Ending = 'succeeded' | 'failed' | 'never';

/** Every end that would be right. */
export function rightEnds(job: Expected): ReadonlySet<Ending> {
  const ends = new Set<Ending>();
  let mayStart = true;
  for (const { on, job: other } of job.after) {
    const its = rightEnds(other);
    const met = (end: Ending): boolean => on === 'any' || (end === 'succeeded') === (on === 'ok');
    if (other.disturbed || [...its].some((end) => !met(end))) if (on !== 'any') ends.add('never');
    if (!other.disturbed && ![...its].some(met)) mayStart = false;
  }
  if (mayStart) ends.add(job.exitCode === 0 ? 'succeeded' : 'failed');
  return ends;
}
