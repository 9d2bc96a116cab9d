/**
 * Entry of the process that reads NVML: `nvmlChild LIBRARY INTERVAL_MS`. Writes one line of JSON for each poll
 * to standard output. It ends when standard input closes, and with its parent, whatever becomes of either.
 */
import { createInterface } from 'node:readline';
import koffi from 'koffi';
import { FOCUS_INTERVAL_MS } from '../ports.ts';
import { NvmlError, openNvml } from './nvmlLibrary.ts';
import type { FocusLine, Measurement, NvmlLine } from './nvmlLine.ts';

/** What devices in focus measure is said once in so many measurements. */
const TICKS_A_LINE = 5;
let focus: ReadonlySet<string> = new Set();
let measured: Measurement[] = [];
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
  .on('line', (line) => {
    focus = new Set((JSON.parse(line) as FocusLine).focus);
  })
  .on('close', () => process.exit(0));
// The parent is gone when nobody reads any more.
process.stdout.on('error', () => process.exit(0));
endWithParent();

const nvml = orEnd(() => openNvml(libraryPath));
const poll = (): void => {
  // What was measured closely before comes before what is read now.
  sayMeasured();
  const devices = orEnd(() => nvml.read());
  say({ atMs: Date.now(), devices });
};
poll();
setInterval(poll, Number(intervalText));

/** Whoever looks closely asks once a second: a line for each measurement would wake the engine for nothing. */
function sayMeasured(): void {
  if (measured.length > 0) say({ measured });
  measured = [];
}

let ticks = 0;
// One clock for all that is often, so that this process wakes up no more often than that.
setInterval(() => {
  // Often, because a job that dies of it does so at once, and is to be told why.
  const faults = nvml.faults();
  if (faults.length > 0) say({ faults });
  if (focus.size > 0) measured.push(...orEnd(() => nvml.measure(focus)));
  if (++ticks % TICKS_A_LINE === 0) sayMeasured();
}, FOCUS_INTERVAL_MS);
