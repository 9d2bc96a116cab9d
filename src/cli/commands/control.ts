import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { JobView } from '../../contract/messages.ts';
import { describeError } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { integer, jobId, jobIds } from '../flags.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}

const ACTIONS = [
  ['pause', 'Pauses running jobs. They keep their GPU memory unless `show` says otherwise.'],
  ['resume', 'Lets paused jobs run on.'],
  [
    'cancel',
    'Ends jobs: a waiting one is withdrawn; a running one is asked to end (SIGTERM) and, if it does not, killed.',
  ],
  ['hold', 'Keeps waiting jobs from starting until they are released.'],
  ['release', 'Lets held jobs start when their turn comes.'],
] as const;

/** Commands that change jobs. With several ids each is tried; the status is that of the first that failed. */
export function registerControl(program: Command, context: Context): void {
  for (const [action, description] of ACTIONS) {
    clientCommand(program, action, description)
      .argument('<ID...>', 'numbers of the jobs', jobIds)
      .option('--json', 'print the jobs as a JSON array')
      .action((ids: number[], flags: Flags) =>
        withEngine(context, flags, (client) =>
          forEach(context, flags, ids, (id) => client.jobs[action]({ id })),
        ),
      );
  }
  clientCommand(program, 'priority', 'Changes the priority of a job: higher goes first.')
    .argument('<ID>', 'number of the job', jobId)
    .argument('<P>', 'from -1000 to 1000', integer('priority', -1000, 1000))
    .option('--json', 'print the job as a JSON array of one')
    .action((id: number, priority: number, flags: Flags) =>
      withEngine(context, flags, (client: StintClient) =>
        forEach(context, flags, [id], () => client.jobs.prioritise({ id, priority })),
      ),
    );
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
  if (flags.json) context.out(JSON.stringify(changed));
  else for (const job of changed) context.out(`job ${job.id} is ${job.status}, priority ${job.priority}`);
  if (failed) context.exitWith(failed);
}
