import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { clientCommand } from '../clientCommand.ts';
import type { Connection } from '../connect.ts';
import { type Context, engineOf, withEngine } from '../context.ts';
import { jobColumns } from '../jobColumns.ts';
import { isInteractive, takeTerminal } from '../terminal.ts';
import { topScreen } from '../top/topScreen.ts';
import { afterMessage, type TopState, topStateOf } from '../top/topState.ts';

interface Flags {
  readonly data?: string;
}

const HELP = `
q, Escape or Ctrl+C quits; the arrows, j and k, Page Up and Page Down scroll. Where the output is no terminal, it is
printed once. It asks nothing of the engine but to be told what changes.`;

const TAKE = '\x1b[?1049h\x1b[?25l\x1b[2J';
const GIVE_BACK = '\x1b[?25h\x1b[?1049l';
/** Terminals that know it show a frame only when it is whole; others pass over it. */
const FRAME = ['\x1b[?2026h', '\x1b[?2026l'] as const;
const LEAST_FRAME_MS = 100;
/** How long things have run is shown, so something changes though nothing happens. */
const TICK_MS = 1000;
const LONGEST_RETRY_MS = 5000;

export function registerTop(program: Command, context: Context): void {
  clientCommand(program, 'top', 'Shows devices and queue as they change, in the terminal.')
    .addHelpText('after', HELP)
    .action((flags: Flags) => (isInteractive() ? watch(context, flags) : once(context, flags)));
}

async function once(context: Context, flags: Flags): Promise<void> {
  const state = await withEngine(context, flags, async (client) =>
    topStateOf(await client.system.overview()),
  );
  const columns = jobColumns(context.nowMs());
  const height = state.jobs.size + state.devices.length + 6;
  const view = { width: context.width, height, from: 0, trouble: null };
  // Without the line that tells the keys.
  const lines = topScreen(state, columns, view).lines.slice(0, -1);
  context.write(`${lines.join('\n').trimEnd()}\n`);
}

async function watch(context: Context, flags: Flags): Promise<void> {
  const { connect, EngineAwayError } = await import('../connect.ts');
  const engine = engineOf(context, flags);
  // Before the screen is taken: that no engine runs is said on the ordinary one.
  let connection: Connection | null = await connect(engine);
  let state = topStateOf(await connection.during((client) => client.system.overview()));
  const quit = new AbortController();
  const painter = createPainter(context, () => quit.abort());
  try {
    painter.show(state, null);
    for (let delayMs = 250; !quit.signal.aborted; delayMs = Math.min(LONGEST_RETRY_MS, delayMs * 2)) {
      try {
        connection ??= await connect(engine);
        await connection.during(async (client) => {
          const overview = await client.system.overview();
          state = topStateOf(overview);
          painter.show(state, null);
          delayMs = 250;
          for await (const message of await client.watch({ since: overview.seq }, { signal: quit.signal })) {
            state = afterMessage(state, message);
            painter.show(state, null);
          }
        });
      } catch (error) {
        if (quit.signal.aborted) break;
        if (!(error instanceof EngineAwayError)) throw error;
      }
      connection?.close();
      connection = null;
      if (quit.signal.aborted) break;
      painter.show(state, 'the engine is away; waiting for it to come back (q quits)');
      await sleep(delayMs, undefined, { signal: quit.signal }).catch(() => undefined);
    }
  } finally {
    painter.close();
    connection?.close();
  }
}

/** Draws what it is shown, at most ten times a second, and only the lines that changed. */
function createPainter(context: Context, quit: () => void) {
  let shown: { state: TopState; trouble: string | null } | null = null;
  let drawn: string[] = [];
  let from = 0;
  let below = 0;
  let timer: NodeJS.Timeout | null = null;
  const request = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      void draw();
    }, LEAST_FRAME_MS);
  };
  const scroll = (by: number): void => {
    from = Math.max(0, from + Math.min(by, below));
    request();
  };
  const terminal = takeTerminal({
    enter: TAKE,
    leave: () => GIVE_BACK,
    onKey(key) {
      if (key === 'q' || key === 'Q' || key === '\x1b' || key === '\x03' || key === '\x04') return quit();
      const page = Math.max(1, Math.floor(terminal.height / 2));
      const steps: Readonly<Record<string, number>> = {
        j: 1,
        k: -1,
        '\x1b[B': 1,
        '\x1b[A': -1,
        '\x1bOB': 1,
        '\x1bOA': -1,
        '\x1b[6~': page,
        '\x1b[5~': -page,
        ' ': page,
        g: -from,
      };
      const by = steps[key];
      if (by !== undefined) scroll(by);
    },
    onResize() {
      // What a terminal keeps of a screen of another size is its own affair.
      drawn = [];
      terminal.write('\x1b[2J');
      request();
    },
  });
  const draw = async (): Promise<void> => {
    if (shown === null) return;
    const columns = jobColumns(context.nowMs());
    if (shown === null) return;
    const { width, height } = terminal;
    const screen = topScreen(shown.state, columns, { width, height, from, trouble: shown.trouble });
    below = screen.below;
    let text = '';
    for (const [at, line] of screen.lines.entries()) {
      if (drawn[at] !== line) text += `\x1b[${at + 1};1H${line}\x1b[K`;
    }
    drawn = screen.lines;
    if (text !== '') terminal.write(`${FRAME[0]}${text}${FRAME[1]}`);
  };
  const tick = setInterval(request, TICK_MS);
  return {
    show(state: TopState, trouble: string | null): void {
      shown = { state, trouble };
      request();
    },
    close(): void {
      shown = null;
      clearInterval(tick);
      if (timer !== null) clearTimeout(timer);
      terminal.release();
    },
  };
}
