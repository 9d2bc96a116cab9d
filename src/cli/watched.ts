import type { Command } from 'commander';
import type { StintClient } from '../contract/client.ts';
import type { WatchMessage } from '../contract/messages.ts';
import { type Context, withEngine } from './context.ts';
import type { AddressFlags } from './engineAddress.ts';

interface WatchFlags extends AddressFlags {
  readonly watch?: true;
  readonly json?: true;
}
type Print<Given extends unknown[]> = (
  context: Context,
  client: StintClient,
  ...given: Given
) => Promise<void> | void;

const HOME_AND_CLEAR = '\u001b[H\u001b[J';
const LEAST_BETWEEN_MS = 500;

/**
 * Gives a command `--watch` and `--json`, and what it does: it prints how something stands, with --watch again when that has changed.
 * @param after what may have changed it; what is not told by itself changes with `devices`, which come each second.
 * @param json what `--json` prints.
 * @param print is given the command's arguments and then its flags, as commander gives them to an action.
 */
export function watched<Given extends unknown[]>(
  command: Command,
  context: Context,
  { after, json }: { readonly after: readonly WatchMessage['type'][]; readonly json: string },
  print: Print<Given>,
): Command {
  return command
    .option('--watch', 'print it again when it changes, until Ctrl+C')
    .option('--json', `print ${json}; with --watch a line each time`)
    .action((...all: unknown[]) => {
      // The last is the command itself.
      const given = all.slice(0, -1) as Given;
      const flags = given.at(-1) as WatchFlags;
      return withEngine(context, flags, async (client) =>
        flags.watch
          ? printAgain(context, client, { after, inPlace: !flags.json }, (to) => print(to, client, ...given))
          : print(context, client, ...given),
      );
    });
}

/**
 * Prints something now, and again when it comes out otherwise, twice a second at most, until the engine goes away or the
 * process ends.
 * @param options `after`: it is looked at after these messages. `inPlace`: on a terminal each takes the place of the last, and
 * elsewhere an empty line is between them.
 */
async function printAgain(
  context: Context,
  client: StintClient,
  options: { readonly after: readonly WatchMessage['type'][]; readonly inPlace: boolean },
  print: (to: Context) => Promise<void> | void,
): Promise<void> {
  const { after, inPlace } = options;
  let last: string | null = null;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let changed = true;
  // What the stream begins with is how things stand, so that the first printing comes with it. What changes while nothing is
  // looked at waits for the next message.
  for await (const { type } of await client.watch({})) {
    changed ||= after.includes(type);
    if (!changed || performance.now() - lookedMs < LEAST_BETWEEN_MS) continue;
    changed = false;
    const text = await printed(context, print);
    lookedMs = performance.now();
    if (text === last) continue;
    const between = !inPlace
      ? ''
      : Number.isFinite(context.width)
        ? HOME_AND_CLEAR
        : last === null
          ? ''
          : '\n';
    context.write(between + text);
    last = text;
  }
}

/** What it writes, kept back, so that it is seen at once and whole. */
async function printed(context: Context, print: (to: Context) => Promise<void> | void): Promise<string> {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  // Not a copy: some of what it tells is only found out when it is asked for.
  const to: Context = Object.create(context, {
    write: { value: write },
    out: { value: (line: string) => write(`${line}\n`) },
  });
  await print(to);
  return text;
}
