import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { JobView } from '../../contract/messages.ts';
import type { Device } from '../../domain/device.ts';
import { FieldError } from '../../domain/errors.ts';
import type { PauseBy, Rung, ThrottleBy } from '../../domain/rungSchemas.ts';
import { PAUSE_RUNGS, THROTTLE_RUNGS } from '../../domain/rungs.ts';
import { throttleText } from '../../domain/throttleText.ts';
import { describeError } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import {
  deviceIndices,
  duration,
  integer,
  jobId,
  jobIds,
  memory,
  oneOf,
  pinnedTo,
  throttleShare,
} from '../flags.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags {
  readonly all?: true;
  readonly array?: true;
  readonly json?: true;
  readonly data?: string;
}

interface RetryFlags extends Flags {
  readonly alone?: true;
  readonly vram?: number;
  readonly time?: number | null;
}

const timeOrNone = (text: string): number | null => (text === 'none' ? null : duration('--time')(text));

const ACTIONS = [
  ['resume', 'Lets paused jobs run on, and those that were paused at their checkpoint wait for their turn.'],
  [
    'preempt',
    'Has running jobs write their checkpoint and end, to wait for their next attempt. Only jobs submitted with --restartable.',
  ],
  [
    'cancel',
    'Ends jobs: a waiting one is withdrawn; a running one is asked to end (SIGTERM) and, if it does not, killed.',
  ],
  [
    'undo',
    'Takes back that waiting jobs were cancelled, and what was cancelled because of that, or that they were moved:\nthey have their places again.',
  ],
] as const;

const ALL_ACTIONS = [
  [
    'hold',
    'Keeps waiting jobs from starting until they are released.',
    'every job that is queued now; later ones are not held (`stint drain` starts nothing at all)',
  ],
  ['release', 'Lets held jobs start when their turn comes.', 'every job that is held now'],
] as const;

/** Commands that change jobs. With several ids each is tried; the status is that of the first that failed. */
export function registerControl(program: Command, context: Context): void {
  clientCommand(
    program,
    'pause',
    'Pauses running jobs. They keep their GPU memory unless `show` says otherwise.',
  )
    .argument('<ID...>', 'numbers of the jobs', jobIds)
    .option(
      '--free-vram',
      'only so that their GPU memory is free: at their own checkpoint (those submitted with\n--restartable), or by CUDA; others are left as they are',
    )
    .option(
      '--by <RUNG>',
      `auto (the gentlest that works), ${PAUSE_RUNGS.join(', ')}; see \`stint rungs\``,
      oneOf('--by', ['auto', ...PAUSE_RUNGS]),
    )
    .option('--json', 'print the jobs as a JSON array')
    .action((ids: number[], flags: Flags & { readonly freeVram?: true; readonly by?: PauseBy }) =>
      withEngine(context, flags, (client) =>
        forEach(context, flags, ids, (id) =>
          client.jobs.pause({ id, freeVram: flags.freeVram ?? false, by: flags.by }),
        ),
      ),
    );
  clientCommand(program, 'rungs', 'Lists the ways to throttle and to pause, and which of them work here.')
    .option('--json', 'print them as a JSON array')
    .action((flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const rungs = await client.system.rungs();
        if (flags.json) return context.out(JSON.stringify(rungs));
        for (const line of renderTable(RUNG_COLUMNS, rungs, context.width)) context.out(line);
      }),
    );
  clientCommand(
    program,
    'start',
    'Starts a queued job now, whosever turn it is. What is about room, and your rules for devices, still holds.',
  )
    .argument('<ID>', 'number of the job', jobId)
    .option('--on <GPUS>', 'on these GPUs, such as 0 or 0,1 (`stint devices` numbers them)', deviceIndices)
    .option('--json', 'print the job as a JSON array of one')
    .action((id: number, flags: Flags & { readonly on?: readonly number[] }) =>
      withEngine(context, flags, (client) =>
        forEach(context, flags, [id], async () =>
          client.jobs.start({
            id,
            ...(flags.on === undefined
              ? {}
              : { deviceIds: idsOf('--on', flags.on, await client.devices.list()) }),
          }),
        ),
      ),
    );
  clientCommand(
    program,
    'pin',
    'Keeps a waiting job to some GPUs, whatever else is free, until you say `anywhere`.',
  )
    .argument('<ID>', 'number of the job', jobId)
    .argument('<GPUS>', 'such as 0 or 0,1 (`stint devices` numbers them); or anywhere', pinnedTo)
    .option('--json', 'print the job as a JSON array of one')
    .action((id: number, gpus: readonly number[] | null, flags: Flags) =>
      withEngine(context, flags, (client) =>
        forEach(context, flags, [id], async () =>
          client.jobs.pin({
            id,
            deviceIds: gpus === null ? null : idsOf('GPUS', gpus, await client.devices.list()),
          }),
        ),
      ),
    );
  clientCommand(
    program,
    'throttle',
    'Holds a running job at a share of its speed, until its attempt ends or you say `off`.',
  )
    .argument('<ID>', 'number of the job', jobId)
    .argument('<SHARE>', 'such as 40%, from 1% to 99%; or off', throttleShare)
    .option(
      '--by <RUNG>',
      `auto (the gentlest that works), ${THROTTLE_RUNGS.join(', ')}; see \`stint rungs\``,
      oneOf('--by', ['auto', ...THROTTLE_RUNGS]),
    )
    .option('--json', 'print the job as a JSON array of one')
    .action((id: number, share: number | null, flags: Flags & { readonly by?: ThrottleBy }) =>
      withEngine(context, flags, (client) =>
        forEach(context, flags, [id], () => client.jobs.throttle({ id, share, by: flags.by })),
      ),
    );
  for (const [action, description] of ACTIONS) {
    clientCommand(program, action, description)
      .aliases(action === 'cancel' ? ['kill', 'scancel'] : [])
      .argument('<ID...>', 'numbers of the jobs', jobIds)
      .option('--array', ARRAY)
      .option('--json', 'print the jobs as a JSON array')
      .action((ids: number[], flags: Flags) =>
        withEngine(context, flags, (client) =>
          flags.array
            ? forArrays(context, flags, client, ids, (id) => client.arrays[action]({ id }))
            : forEach(context, flags, ids, (id) => client.jobs[action]({ id })),
        ),
      );
  }
  for (const [action, description, all] of ALL_ACTIONS) {
    clientCommand(program, action, description)
      .argument('[ID...]', 'numbers of the jobs', jobIds)
      .option('--all', all)
      .option('--array', ARRAY)
      .option('--json', 'print the jobs as a JSON array')
      .action(async (given: number[] | undefined, flags: Flags) => {
        const ids = given ?? [];
        if (flags.all && ids.length > 0) {
          throw new FieldError('job id', ids[0], 'give either numbers of jobs or --all');
        }
        if (!flags.all && ids.length === 0) {
          throw new FieldError('job id', undefined, 'give numbers of jobs, such as 12 13, or --all');
        }
        await withEngine(context, flags, async (client) => {
          if (flags.array) {
            return forArrays(context, flags, client, ids, (id) => client.arrays[action]({ id }));
          }
          const those = flags.all ? (await client.jobs[`${action}All`]()).ids : ids;
          const change = flags.all ? client.jobs.get : client.jobs[action];
          await forEach(context, flags, those, (id) => change({ id }));
        });
      });
  }
  clientCommand(
    program,
    'retry',
    'Puts jobs that are over back into the queue, as another attempt of the same job, with all of its retries.',
  )
    .argument('<ID...>', 'numbers of the jobs', jobIds)
    .option('--alone', 'from now on with its GPUs to itself, as after it ran out of GPU memory beside others')
    .option('--vram <SIZE>', 'from now on with so much memory on each GPU, such as 14GiB', memory('--vram'))
    .option('--time <TIME>', 'from now on with this time limit, such as 12h, or none', timeOrNone)
    .option('--json', 'print the jobs as a JSON array')
    .action((ids: number[], flags: RetryFlags) =>
      withEngine(context, flags, (client) =>
        forEach(context, flags, ids, (id) =>
          client.jobs.retry({
            id,
            ...(flags.alone ? { alone: true } : {}),
            ...(flags.vram === undefined ? {} : { vramMib: flags.vram }),
            ...(flags.time === undefined ? {} : { timeLimitS: flags.time }),
          }),
        ),
      ),
    );
  clientCommand(program, 'priority', 'Changes the priority of a job: higher goes first.')
    .argument('<ID>', 'number of the job', jobId)
    .argument('<P>', 'from -1000 to 1000', integer('priority', -1000, 1000))
    .option('--array', ARRAY)
    .option('--json', 'print the job as a JSON array of one')
    .action((id: number, priority: number, flags: Flags) =>
      withEngine(context, flags, (client: StintClient) =>
        flags.array
          ? forArrays(context, flags, client, [id], () => client.arrays.prioritise({ id, priority }))
          : forEach(context, flags, [id], () => client.jobs.prioritise({ id, priority })),
      ),
    );
}

const RUNG_COLUMNS: readonly Column<Rung>[] = [
  { title: 'LADDER', cell: ({ ladder }) => ladder },
  { title: 'RUNG', cell: ({ rung }) => rung },
  { title: 'WORKS', cell: ({ works }) => (works ? 'yes' : 'no') },
  { title: 'DOES', least: 12, cell: ({ does }) => does },
  { title: 'NOTE', least: 12, cell: ({ note }) => note ?? '' },
];

function idsOf(field: string, indices: readonly number[], devices: readonly Device[]): string[] {
  return indices.map((index) => {
    const device = devices.find((one) => one.index === index);
    if (device !== undefined) return device.id;
    throw new FieldError(field, index, `choose from ${devices.map((one) => one.index).join(', ')}`);
  });
}

const ARRAY = 'the numbers are those of arrays: all jobs of each that it can be done to';

async function forArrays(
  context: Context,
  flags: Flags,
  client: StintClient,
  ids: readonly number[],
  change: (id: number) => Promise<{ ids: number[] }>,
): Promise<void> {
  if (flags.all) throw new FieldError('--array', true, 'give either numbers of arrays or --all');
  const changed: number[] = [];
  for (const id of new Set(ids)) changed.push(...(await change(id)).ids);
  const jobs = new Map<number, JobView>();
  for (const id of new Set(ids))
    for (const job of (await client.arrays.get({ id })).jobs) jobs.set(job.id, job);
  print(
    context,
    flags,
    changed.map((id) => jobs.get(id)!),
  );
}

function print(context: Context, flags: Flags, jobs: readonly JobView[]): void {
  if (flags.json) return context.out(JSON.stringify(jobs));
  for (const job of jobs)
    context.out(`job ${job.id} is ${job.status}${throttleText(job)}, priority ${job.priority}`);
}

async function forEach(
  context: Context,
  flags: Flags,
  ids: readonly number[],
  change: (id: number) => Promise<JobView>,
): Promise<void> {
  const changed: JobView[] = [];
  let failed = 0;
  for (const id of new Set(ids)) {
    try {
      changed.push(await change(id));
    } catch (error) {
      const { line, status } = describeError(error);
      if (status === 3) throw error;
      context.err(line);
      failed ||= status;
    }
  }
  print(context, flags, changed);
  if (failed) context.exitWith(failed);
}
