import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { JobView } from '../../contract/messages.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import { formatDuration } from '../../domain/units.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, engineOf } from '../context.ts';
import { exitStatusOf } from '../exitStatusOf.ts';
import { integer, jobId } from '../flags.ts';
import { cut, printable } from '../table.ts';
import { isInteractive, takeTerminal } from '../terminal.ts';

interface Flags {
  readonly tail: number;
  readonly data?: string;
}

const HELP = `
Below the output stands how the job is doing. Ctrl+C (or q) detaches: the job goes on. When the job ends, so does this,
with the job's exit code (\`stint help exit-codes\`). Nothing can be typed into a job.`;

const STATUS_INTERVAL_MS = 1000;
const LONGEST_RETRY_MS = 5000;

export function registerAttach(program: Command, context: Context): void {
  clientCommand(
    program,
    'attach',
    'Follows what a job writes and how it is doing, until it ends or you leave.',
  )
    .argument('<ID>', 'number of the job', jobId)
    .option('--tail <N>', 'begin with so many of its last lines', integer('--tail', 1, 1_000_000), 50)
    .addHelpText('after', HELP)
    .action((id: number, flags: Flags) => attach(context, id, flags));
}

async function attach(context: Context, id: number, flags: Flags): Promise<void> {
  const { connect, EngineAwayError } = await import('../connect.ts');
  const engine = engineOf(context, flags);
  let connection = await connect(engine);
  const leave = new AbortController();
  let offset: number | null = null;
  // What is wrong with the number is said before the screen is touched.
  let job = await connection.during((client) => client.jobs.get({ id }));
  const pane = createPane(context, () => leave.abort());
  try {
    pane.tell(sentence(job, context.nowMs()));
    for (let delayMs = 250; !leave.signal.aborted; delayMs = Math.min(LONGEST_RETRY_MS, delayMs * 2)) {
      try {
        await connection.during(async (client) => {
          delayMs = 250;
          const from: number = offset ?? (await client.logs.locate({ id, line: -flags.tail })).offset ?? 0;
          const watching = keepTelling(client, id, leave.signal, async (now) => {
            job = now;
            pane.tell(sentence(now, context.nowMs()));
          });
          for await (const chunk of await client.logs.follow(
            { id, offset: from },
            { signal: leave.signal },
          )) {
            pane.write(chunk.text);
            offset = chunk.nextOffset;
          }
          watching.stop();
          job = await client.jobs.get({ id });
        });
        break;
      } catch (error) {
        if (leave.signal.aborted) break;
        if (!(error instanceof EngineAwayError)) throw error;
        pane.tell('the engine is away; the job goes on');
      }
      connection.close();
      connection = await reconnected(connect, engine, delayMs, leave.signal, connection);
    }
  } finally {
    pane.close();
    connection.close();
  }
  if (job.finishedAtMs === null) return context.err(`detached; job ${id} goes on`);
  context.err(`job ${id} ${printable(sentence(job, context.nowMs()))}`);
  context.exitWith(exitStatusOf(job));
}

type Connect = typeof import('../connect.ts').connect;
type Connection = Awaited<ReturnType<Connect>>;

/** Tries until it works; the last connection when the person leaves before. */
async function reconnected(
  connect: Connect,
  engine: ReturnType<typeof engineOf>,
  firstDelayMs: number,
  signal: AbortSignal,
  last: Connection,
): Promise<Connection> {
  for (let delayMs = firstDelayMs; !signal.aborted; delayMs = Math.min(LONGEST_RETRY_MS, delayMs * 2)) {
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    try {
      if (!signal.aborted) return await connect(engine);
    } catch {
      // Not back yet.
    }
  }
  return last;
}

/** Looks once a second: what is shown changes by itself, with the time. */
function keepTelling(
  client: StintClient,
  id: number,
  signal: AbortSignal,
  tell: (job: JobView) => Promise<void>,
): { stop(): void } {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  void (async () => {
    while (!either.aborted) {
      await tell(await client.jobs.get({ id }));
      await sleep(STATUS_INTERVAL_MS, undefined, { signal: either });
    }
    // What ends it ends the log as well, and is told there.
  })().catch(() => undefined);
  return { stop: () => stop.abort() };
}

function sentence(job: JobView, nowMs: number): string {
  const ran = job.startedAtMs === null ? '' : ` ${formatDuration(runSeconds(job, nowMs) * 1000)}`;
  const parts = [
    `${job.status}${ran}`,
    job.waitingReason ?? '',
    job.progress ? `${Math.round(job.progress.fraction * 100)} % (${job.progress.label})` : '',
    job.remaining && job.startedAtMs !== null
      ? `about ${formatDuration(job.remaining.p50S * 1000)} to go`
      : '',
    job.finishedAtMs === null ? job.devices.join(', ') : '',
    job.diagnosis?.summary ?? job.cause ?? '',
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

interface Pane {
  write(text: string): void;
  /** Changes the line below the output. */
  tell(line: string): void;
  close(): void;
}

/** Output that scrolls above a last line which stays; where nobody looks, the output alone. */
function createPane(context: Context, leave: () => void): Pane {
  if (!isInteractive()) {
    const stop = (): void => leave();
    process.once('SIGINT', stop);
    return {
      write: context.write,
      tell: () => undefined,
      close: () => void process.off('SIGINT', stop),
    };
  }
  let line = '';
  const draw = (): void => {
    const text = cut(printable(line), terminal.width - 1);
    // Kept in one piece, so that the output's own place is found again.
    terminal.write(`\x1b7\x1b[${terminal.height};1H\x1b[7m${text}\x1b[0m\x1b[K\x1b8`);
  };
  /** A line of room below where we are, and all but that line scrolls. Setting the region moves the cursor. */
  const region = (): string => `\n\x1b[1A\x1b7\x1b[1;${Math.max(1, terminal.height - 1)}r\x1b8`;
  const terminal = takeTerminal({
    enter: '',
    leave: () => `\x1b7\x1b[r\x1b[${terminal.height};1H\x1b[K\x1b8\n`,
    onKey(key) {
      if (key === 'q' || key === '\x03' || key === '\x04') leave();
    },
    onResize() {
      terminal.write(region());
      draw();
    },
  });
  terminal.write(region());
  return {
    write: (text) => terminal.write(text),
    tell(next) {
      line = next;
      draw();
    },
    close: () => terminal.release(),
  };
}
