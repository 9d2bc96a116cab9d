import type { StintClient } from '../contract/client.ts';
import type { WatchMessage } from '../contract/messages.ts';
import type { Context } from './context.ts';

const HOME_AND_CLEAR = '\u001b[H\u001b[J';
const LEAST_BETWEEN_MS = 500;

/**
 * Prints something now, and again after what it is about has changed, twice a second at most, until the engine goes away or the
 * process ends. What changes meanwhile waits for the next message; devices are told of each second.
 * @param options `inPlace`: on a terminal each takes the place of the last, and elsewhere an empty line is between them.
 */
export async function printAgain(
  context: Context,
  client: StintClient,
  options: {
    readonly after: readonly WatchMessage['type'][];
    readonly inPlace: boolean;
    readonly print: () => Promise<void>;
  },
): Promise<void> {
  const { after, inPlace, print } = options;
  let printedMs = Number.NEGATIVE_INFINITY;
  let changed = true;
  // What the stream begins with is how things stand, so that the first printing comes with it.
  for await (const { type } of await client.watch({})) {
    changed ||= after.includes(type);
    if (!changed || performance.now() - printedMs < LEAST_BETWEEN_MS) continue;
    changed = false;
    if (inPlace) {
      if (Number.isFinite(context.width)) context.write(HOME_AND_CLEAR);
      else if (printedMs > 0) context.write('\n');
    }
    await print();
    printedMs = performance.now();
  }
}
