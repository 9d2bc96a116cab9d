import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { type StintClient, watchForever } from '../../contract/client.ts';
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

async function wait(context: Context, ids: readonly number[], flags: WaitFlags): Promise<void> {
  const { connect } = await import('../connect.ts');
  const home = homeOf(context, flags.data);
  const jobs = new Map<number, JobView>();
  const pending = () => ids.filter((id) => (jobs.get(id)?.finishedAtMs ?? null) === null);
  const over = new AbortController();
  let timedOut = false;
  const deadline =
    flags.timeout === undefined
      ? undefined
      : setTimeout(
          () => {
            timedOut = true;
            over.abort();
          },
          Math.min(flags.timeout * 1000, 2 ** 31 - 1),
        );

  let connection: Connection = await connect(home);
  try {
    const load = async () => {
      for (const id of pending()) jobs.set(id, await connection.client.jobs.get({ id }));
    };
    await load();
    if (pending().length > 0 && !over.signal.aborted) {
      // What happens after this number is told by `watch`; what happened before it is in the second look.
      const { seq } = await connection.client.system.overview();
      await load();
      if (pending().length === 0) over.abort();
      let known = true;
      await watchForever(
        async () => {
          if (!known) connection = await connect(home);
          known = false;
          return connection.client;
        },
        {
          since: seq,
          signal: over.signal,
          sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
          onMessage(message) {
            if (message.type !== 'event' || !ids.includes(message.job.id)) return;
            jobs.set(message.job.id, message.job);
            if (pending().length === 0) over.abort();
          },
          onConnection: noticeOnce(context),
        },
      );
    }
  } finally {
    clearTimeout(deadline);
    connection.close();
  }
  const late = pending();
  if (timedOut && late.length > 0) {
    throw new CliError(
      STATUS.timedOut,
      `job ${late.join(', ')} not over after ${flags.timeout} s`,
      'wait longer with --timeout, or see `stint ls`',
    );
  }
  context.exitWith(ids.map((id) => statusOf(jobs.get(id))).find((status) => status !== 0) ?? 0);
}

/** Says once for each outage that the engine is away, and that it is back. */
function noticeOnce(context: Context): (connected: boolean) => void {
  let away = false;
  return (connected) => {
    if (connected !== away) return;
    away = !connected;
    context.err(connected ? 'the engine is back' : 'the engine is away; waiting for it to come back');
  };
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
