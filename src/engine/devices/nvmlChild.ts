/**
 * Entry of the process that reads NVML: `nvmlChild LIBRARY INTERVAL_MS`. Writes one line of JSON for each poll
 * to standard output. It ends when standard input closes, and with its parent, whatever becomes of either.
 */
import { createInterface } from 'node:readline';
import koffi from 'koffi';
import { NvmlError, openNvml } from './nvmlLibrary.ts';
import type { FocusLine, NvmlLine } from './nvmlLine.ts';

const FAULT_INTERVAL_MS = 100;
const [, , libraryPath = '', intervalText = ''] = process.argv;

function say(line: NvmlLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/**
 * Asks the kernel to end this process with its parent, also while it hangs in a call and cannot see its input
 * close (prctl PR_SET_PDEATHSIG).
 */
function endWithParent(): void {
  if (process.platform !== 'linux') return;
  const PR_SET_PDEATHSIG = 1;
  const SIGKILL = 9;
  const prctl = koffi.load(null).func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)');
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/** Runs `work`; when NVML as a whole fails, says so and ends: the parent starts afresh with a new library. */
function orEnd<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NvmlError)) throw error;
    say({ failed: error.message, absent: error.absent });
    process.exit(1);
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => focusOn(JSON.parse(line) as FocusLine))
  .on('close', () => process.exit(0));
// The parent is gone when nobody reads any more.
process.stdout.on('error', () => process.exit(0));
endWithParent();

const nvml = orEnd(() => openNvml(libraryPath));
const poll = (): void => {
  const devices = orEnd(() => nvml.read());
  say({ atMs: Date.now(), devices });
};
poll();
setInterval(poll, Number(intervalText));
// Often, because a job that dies of it does so at once, and is to be told why.
setInterval(() => {
  const faults = nvml.faults();
  if (faults.length > 0) say({ faults });
}, FAULT_INTERVAL_MS);

let focusTimer: NodeJS.Timeout | undefined;
function focusOn({ focus, everyMs }: FocusLine): void {
  clearInterval(focusTimer);
  const ids = new Set(focus);
  if (ids.size > 0)
    focusTimer = setInterval(() => say({ measured: orEnd(() => nvml.measure(ids)) }), everyMs);
}
