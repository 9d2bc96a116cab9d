import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { JobView } from '../../contract/messages.ts';
import { CliError, STATUS } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import type { Connection } from '../connect.ts';
import { type Context, homeOf, withEngine } from '../context.ts';
import { duration, jobId, jobIds } from '../flags.ts';

interface LogFlags {
  readonly follow?: true;
  readonly data?: string;
}
interface WaitFlags {
  readonly timeout?: number;
  readonly data?: string;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5000;
/** What a timer takes: 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const WAIT_HELP = `
Exit status: the job's own (128 + n if signal n ended it). For a job that has none to give, or one that was ended
and still said 0: 130 cancelled, 137 timed out, 129 lost, 127 could not be started. With several jobs it is that of
the first one given that is not 0. 124 when --timeout ran out; the jobs go on. If the engine goes away meanwhile,
it waits for it to come back.

Examples:
  stint wait 12 && echo done
  stint wait 12 13 14 --timeout 2h`;

export function registerFollow(program: Command, context: Context): void {
  clientCommand(program, 'logs', 'Prints what a job wrote, stdout and stderr together.')
    .argument('<ID>', 'number of the job', jobId)
    .option('-f, --follow', 'go on as it writes, until it ends')
    .addHelpText('after', '\nExamples:\n  stint logs 12\n  stint logs -f 12')
    .action((id: number, flags: LogFlags) =>
      withEngine(context, flags, (client) =>
        flags.follow ? follow(context, client, id) : print(context, client, id),
      ),
    );

  clientCommand(program, 'wait', 'Waits until jobs are over, and ends as they did.')
    .argument('<ID...>', 'numbers of the jobs', jobIds)
    .option('--timeout <S>', 'give up after this many seconds (or 45min, 2h)', duration('--timeout'))
    .addHelpText('after', WAIT_HELP)
    .action((ids: number[], flags: WaitFlags) => wait(context, ids, flags));
}

async function print(context: Context, client: StintClient, id: number): Promise<void> {
  for (let offset = 0; ; ) {
    const chunk = await client.logs.read({ id, offset });
    context.write(chunk.text);
    if (chunk.nextOffset >= chunk.size || chunk.nextOffset === offset) return;
    offset = chunk.nextOffset;
  }
}

async function follow(context: Context, client: StintClient, id: number): Promise<void> {
  for await (const chunk of await client.logs.follow({ id })) context.write(chunk.text);
}

/**
 * Waits across restarts of the engine: after each, how the jobs stand is read anew.
 * @throws {CliError} with status 124 when the time is up, and at once when no engine runs to begin with.
 */
async function wait(context: Context, ids: readonly number[], flags: WaitFlags): Promise<void> {
  const { connect } = await import('../connect.ts');
  const home = homeOf(context, flags.data);
  const jobs = new Map<number, JobView>();
  const pending = () => ids.filter((id) => (jobs.get(id)?.finishedAtMs ?? null) === null);
  const timeUp = new AbortController();
  const timeout =
    flags.timeout === undefined
      ? undefined
      : setTimeout(() => timeUp.abort(), Math.min(flags.timeout * 1000, LONGEST_TIMER_MS));
  let met = false;
  let away = false;
  let delayMs = FIRST_RETRY_MS;
  while (pending().length > 0 && !timeUp.signal.aborted) {
    let connection: Connection | undefined;
    try {
      connection = await connect(home);
      if (away) context.err('the engine is back');
      away = false;
      met = true;
      delayMs = FIRST_RETRY_MS;
      await Promise.race([observe(connection.client, jobs, pending, timeUp.signal), connection.lost]);
    } catch (error) {
      if (timeUp.signal.aborted) break;
      if (!met || !(error instanceof CliError) || error.status !== STATUS.notRunning) throw error;
      if (!away) context.err('the engine is away; waiting for it to come back');
      away = true;
      await delay(delayMs, undefined, { signal: timeUp.signal }).catch(() => undefined);
      delayMs = Math.min(LONGEST_RETRY_MS, delayMs * 2);
    } finally {
      connection?.close();
    }
  }
  clearTimeout(timeout);
  const late = pending();
  if (late.length > 0) {
    throw new CliError(
      STATUS.timedOut,
      `job ${late.join(', ')} not over after ${flags.timeout} s`,
      'wait longer with --timeout, or see `stint ls`',
    );
  }
  context.exitWith(ids.map((id) => statusOf(jobs.get(id))).find((status) => status !== 0) ?? 0);
}

/** Keeps `jobs` up to date until none is pending or the engine ends the stream. */
async function observe(
  client: StintClient,
  jobs: Map<number, JobView>,
  pending: () => number[],
  signal: AbortSignal,
): Promise<void> {
  const load = async () => {
    for (const id of pending()) jobs.set(id, await client.jobs.get({ id }));
  };
  await load();
  if (pending().length === 0) return;
  // What happens after this number is told by `watch`; what happened before it is in the second look.
  const { seq } = await client.system.overview();
  await load();
  if (pending().length === 0) return;
  for await (const message of await client.watch({ since: seq }, { signal })) {
    if (message.type === 'event' && pending().includes(message.job.id)) jobs.set(message.job.id, message.job);
    if (pending().length === 0) return;
  }
}

/** A job that did not succeed never counts as 0. */
function statusOf(job: JobView | undefined): number {
  if (!job || job.status === 'succeeded') return 0;
  if (job.exitCode) return job.exitCode;
  switch (job.status) {
    case 'cancelled':
      return 130;
    case 'timed-out':
      return 137;
    case 'lost':
      return 129;
    default:
      return 127;
  }
}
