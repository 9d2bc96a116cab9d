import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { JobView } from '../../contract/messages.ts';
import { FieldError } from '../../domain/errors.ts';
import { isRefused } from '../../domain/isRefused.ts';
import { CliError, STATUS } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import type { Connection } from '../connect.ts';
import { type Context, engineOf, withEngine } from '../context.ts';
import { exitStatusOf } from '../exitStatusOf.ts';
import { duration, integer, jobId, jobIds } from '../flags.ts';
import { LogPrinter, plainText } from '../logPrinter.ts';

interface LogFlags {
  readonly follow?: true;
  readonly head?: number;
  readonly tail?: number;
  readonly fromLine?: number;
  readonly grep?: string;
  readonly fixed?: true;
  readonly ignoreCase?: true;
  readonly json?: true;
  readonly attempt?: number;
  readonly raw?: true;
  readonly data?: string;
}
/** Of which attempt: the last, when it is left out. */
interface LogOf {
  readonly id: number;
  readonly attempt?: number;
}
interface WaitFlags {
  readonly timeout?: number;
  readonly json?: true;
  readonly data?: string;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5000;
/** What a timer takes: 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const MOST_LINES = Number.MAX_SAFE_INTEGER;
const PIECE_BYTES = 256 * 1024;

const LOGS_HELP = `
What a terminal would show in the end is printed: of a progress bar its last state, colours on a terminal (unless NO_COLOR is
set), and no other sequence that a terminal obeys. --raw prints all of it.

Lines end with a line feed; for --grep with a carriage return as well, as those of a progress bar do.

Examples:
  stint logs 12
  stint logs -f 12 --tail 20
  stint logs 12 --attempt 1 --head 100
  stint logs 12 --from-line 5000
  stint logs 12 --grep 'loss[=:] ?nan' -i`;

const WAIT_HELP = `
Exit status: the job's own (128 + n if signal n ended it). For a job that has none to give, or one that was ended
and still said 0: 130 cancelled, 137 timed out, 129 lost, 127 could not be started. With several jobs it is that of
the first one given that is not 0. 124 when --timeout ran out; the jobs go on. If the engine goes away meanwhile,
it waits for it to come back. A job that another queue refused, and that is held therefore, is waited for no longer:
126, with what was said. One that a person holds is waited for.

Examples:
  stint wait 12 && echo done
  stint wait 12 13 14 --timeout 2h`;

export function registerFollow(program: Command, context: Context): void {
  clientCommand(program, 'logs', 'Prints what a job wrote, stdout and stderr together.')
    .argument('<ID>', 'number of the job', jobId)
    .option('-f, --follow', 'go on as it writes, until it ends')
    .option('--head <N>', 'its first lines only', integer('--head', 1, MOST_LINES))
    .option('--tail <N>', 'its last lines only; with -f, from there on', integer('--tail', 1, MOST_LINES))
    .option('--from-line <N>', 'from this line on, counted from 1', integer('--from-line', 1, MOST_LINES))
    .option('--grep <RE>', 'only lines in which this occurs, an expression as grep -E takes it')
    .option('-F, --fixed', 'what --grep is given is plain text')
    .option('-i, --ignore-case', 'capitals or not, for --grep')
    .option('--json', 'with --grep: lines with their places in bytes, as JSON')
    .option(
      '--attempt <N>',
      'of this attempt, from 1 (default: the last, and with -f those that follow)',
      integer('--attempt', 1, Number.MAX_SAFE_INTEGER),
    )
    .option('--raw', 'byte for byte, with all that a terminal would obey')
    .addHelpText('after', LOGS_HELP)
    .action((id: number, flags: LogFlags) => {
      checkTogether(flags);
      return withEngine(context, flags, (client) => {
        const of = { id, ...(flags.attempt === undefined ? {} : { attempt: flags.attempt }) };
        return flags.grep === undefined
          ? show(context, client, of, flags)
          : grep(context, client, of, flags.grep, flags);
      });
    });

  clientCommand(program, 'wait', 'Waits until jobs are over, and ends as they did.')
    .argument('<ID...>', 'numbers of the jobs', jobIds)
    .option('--timeout <S>', 'give up after this many seconds (or 45min, 2h)', duration('--timeout'))
    .option('--json', 'print the jobs as a JSON array when they are over')
    .addHelpText('after', WAIT_HELP)
    .action((ids: number[], flags: WaitFlags) => wait(context, ids, flags));
}

/** @throws {FieldError} for flags of which each wants something else. */
function checkTogether(flags: LogFlags): void {
  const parts = (
    [
      ['--head', flags.head],
      ['--tail', flags.tail],
      ['--from-line', flags.fromLine],
      ['--grep', flags.grep],
    ] as const
  ).filter(([, value]) => value !== undefined);
  const second = parts[1];
  if (second) throw new FieldError(second[0], second[1], `give it without ${parts[0]![0]}`);
  if (flags.follow && (flags.head !== undefined || flags.grep !== undefined)) {
    const [flag, value] = parts[0]!;
    throw new FieldError(flag, value, 'give it without --follow');
  }
  if (flags.grep !== undefined) return;
  for (const flag of ['fixed', 'ignoreCase', 'json'] as const) {
    const name = flag === 'ignoreCase' ? '--ignore-case' : `--${flag}`;
    if (flags[flag]) throw new FieldError(name, true, 'give it with --grep');
  }
}

async function show(context: Context, client: StintClient, of: LogOf, flags: LogFlags): Promise<void> {
  if (flags.head !== undefined) {
    const printer = printerOf(context, flags);
    await head(printer, client, of, flags.head);
    return printer.end();
  }
  const offset =
    flags.tail !== undefined
      ? await offsetOfLine(client, of, -flags.tail)
      : flags.fromLine !== undefined
        ? await offsetOfLine(client, of, flags.fromLine)
        : 0;
  const printer = printerOf(context, flags);
  await (flags.follow ? follow(printer, client, of, offset) : print(printer, client, of, offset));
  printer.end();
}

const printerOf = (context: Context, flags: LogFlags): LogPrinter =>
  new LogPrinter(context, { live: flags.follow === true, raw: flags.raw === true });

async function print(printer: LogPrinter, client: StintClient, of: LogOf, from: number): Promise<void> {
  for (let offset = from; ; ) {
    const chunk = await client.logs.read({ ...of, offset });
    printer.write(chunk.text);
    if (chunk.nextOffset >= chunk.size || chunk.nextOffset === offset) return;
    offset = chunk.nextOffset;
  }
}

async function follow(printer: LogPrinter, client: StintClient, of: LogOf, offset: number): Promise<void> {
  for await (const chunk of await client.logs.follow({ ...of, offset })) printer.write(chunk.text);
}

async function head(printer: LogPrinter, client: StintClient, of: LogOf, lines: number): Promise<void> {
  let left = lines;
  for (let offset = 0; left > 0; ) {
    const { text, nextOffset, size } = await client.logs.read({ ...of, offset, limitBytes: PIECE_BYTES });
    let end = -1;
    while (left > 0) {
      const next = text.indexOf('\n', end + 1);
      if (next < 0) break;
      end = next;
      left--;
    }
    printer.write(left === 0 ? text.slice(0, end + 1) : text);
    if (nextOffset >= size || nextOffset === offset) return;
    offset = nextOffset;
  }
}

/** @throws {FieldError} when there are not so many. */
async function offsetOfLine(client: StintClient, of: LogOf, line: number): Promise<number> {
  const { offset } = await client.logs.locate({ ...of, line });
  if (offset === null && line < 0) return 0;
  if (offset === null) throw new FieldError('--from-line', line, 'the log has fewer lines; see --tail');
  return offset;
}

async function grep(
  context: Context,
  client: StintClient,
  of: LogOf,
  pattern: string,
  flags: LogFlags,
): Promise<void> {
  const all: unknown[] = [];
  for (let offset: number | null = 0; offset !== null; ) {
    const found: Awaited<ReturnType<StintClient['logs']['search']>> = await client.logs.search({
      ...of,
      pattern,
      fixed: flags.fixed === true,
      ignoreCase: flags.ignoreCase === true,
      offset,
    });
    if (flags.json) all.push(...found.matches);
    else for (const { text } of found.matches) context.out(flags.raw ? text : plainText(text));
    offset = found.next;
  }
  if (flags.json) context.out(JSON.stringify(all));
}

/**
 * Waits across restarts of the engine: after each, how the jobs stand is read anew.
 * @throws {CliError} with status 124 when the time is up, and at once when no engine runs to begin with.
 */
async function wait(context: Context, ids: readonly number[], flags: WaitFlags): Promise<void> {
  const { connect, EngineAwayError } = await import('../connect.ts');
  const engine = engineOf(context, flags);
  const jobs = new Map<number, JobView>();
  const pending = () => ids.filter((id) => !isSettled(jobs.get(id)));
  const held = new Set<number>();
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
      connection = await connect(engine);
      if (away) context.err('the engine is back');
      away = false;
      met = true;
      delayMs = FIRST_RETRY_MS;
      await connection.during((client) =>
        observe(client, jobs, pending, timeUp.signal, () => {
          for (const id of pending()) {
            if (jobs.get(id)?.status !== 'held') held.delete(id);
            else if (!held.has(id)) {
              held.add(id);
              context.err(`job ${id} is held; \`stint release ${id}\` lets it wait for its turn`);
            }
          }
        }),
      );
    } catch (error) {
      if (timeUp.signal.aborted) break;
      if (!(error instanceof EngineAwayError)) throw error;
      met ||= error.wasThere;
      if (!met) throw error;
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
  for (const id of ids) {
    const job = jobs.get(id);
    if (job !== undefined && isRefused(job))
      context.err(
        `job ${id} is ${job.waitingReason}; mend that and \`stint release ${id}\`, or \`stint cancel ${id}\``,
      );
  }
  if (flags.json) context.out(JSON.stringify(ids.map((id) => jobs.get(id))));
  context.exitWith(ids.map((id) => exitStatusOf(jobs.get(id))).find((status) => status !== 0) ?? 0);
}

/** Nothing happens to it any more, or not before a person has mended what another queue refused it for. */
const isSettled = (job: JobView | undefined): boolean =>
  job !== undefined && (job.finishedAtMs !== null || isRefused(job));

/** Keeps `jobs` up to date until none is pending or the engine ends the stream. */
async function observe(
  client: StintClient,
  jobs: Map<number, JobView>,
  pending: () => number[],
  signal: AbortSignal,
  changed: () => void,
): Promise<void> {
  const load = async () => {
    for (const id of pending()) jobs.set(id, await client.jobs.get({ id }));
    changed();
  };
  await load();
  if (pending().length === 0) return;
  // What happens after this number is told by `watch`; what happened before it is in the second look.
  const { seq } = await client.system.overview();
  await load();
  if (pending().length === 0) return;
  for await (const message of await client.watch({ since: seq }, { signal })) {
    if (message.type === 'event' && pending().includes(message.job.id)) {
      jobs.set(message.job.id, message.job);
      changed();
    }
    if (pending().length === 0) return;
  }
}
